package cli

import (
	"fmt"
	"net/netip"
	"testing"
)

func TestFrom(t *testing.T) {
	for _, test := range []struct {
		from []string
		want string // the addresses; "" for an error
	}{
		{[]string{"203.0.113.7"}, "[203.0.113.7/32]"},
		{[]string{"203.0.113.7/28", "198.51.100.1"}, "[203.0.113.0/28 198.51.100.1/32]"},
		{[]string{"0.0.0.0/0"}, ""},
		{[]string{"2001:db8::1"}, ""},
		{[]string{"home"}, ""},
	} {
		source, err := (&global{from: test.from}).source()
		if test.want == "" {
			wantProblem(t, err, "--from "+test.from[0], "for example: --from 203.0.113.7")
			continue
		}
		all, lookup := source(t.Context(), netip.Addr{})
		if got := fmt.Sprint(all); err != nil || lookup != nil || got != test.want {
			t.Errorf("%v: got %s, %v, %v, want %s", test.from, got, err, lookup, test.want)
		}
	}
}
