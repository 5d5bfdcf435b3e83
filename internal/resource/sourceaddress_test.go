package resource

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"testing"
)

func TestOnlyAddressesThatNoRuleAdmitsAreAdded(t *testing.T) {
	prefixes := func(texts ...string) (all []netip.Prefix) {
		for _, text := range texts {
			all = append(all, netip.MustParsePrefix(text))
		}
		return all
	}
	rule, nats := prefixes("203.0.113.0/24"), prefixes("203.0.113.7/32", "198.51.100.1/32")
	blocked := errors.New("the look-up is blocked")
	for name, test := range map[string]struct {
		own      []netip.Prefix
		lookup   error
		admitted []netip.Prefix
		want     string
		asked    bool
	}{
		"no rules":              {own: prefixes("203.0.113.7/32"), want: "[203.0.113.7/32] <nil>", asked: true},
		"admitted":              {own: prefixes("203.0.113.7/32"), admitted: rule, want: "[] <nil>", asked: true},
		"one of two NATs":       {own: nats, admitted: rule, want: "[198.51.100.1/32] <nil>", asked: true},
		"block around the rule": {own: rule, admitted: nats, want: "[203.0.113.0/24] <nil>", asked: true},
		"the world is admitted": {lookup: blocked, admitted: prefixes("0.0.0.0/0"), want: "[] <nil>"},
		"blocked, with rules":   {lookup: blocked, admitted: rule, want: "[] <nil>", asked: true},
		"blocked, no rules":     {lookup: blocked, want: "[] the look-up is blocked", asked: true},
	} {
		asked := false
		source := SourceAddress(func(context.Context, netip.Addr) ([]netip.Prefix, error) {
			asked = true
			return test.own, test.lookup
		})
		all, err := source.NotAdmitted(t.Context(), netip.MustParseAddr("198.18.0.1"), test.admitted)
		if got := fmt.Sprint(all, err); got != test.want || asked != test.asked {
			t.Errorf("%s: got %s, asked: %t, want %s, %t", name, got, asked, test.want, test.asked)
		}
	}
}
