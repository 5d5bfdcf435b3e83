//go:build linux

package host

import (
	"errors"
	"net/netip"
	"os"
	"slices"
	"testing"

	"aloft.dev/aloft/internal/diag"
)

func TestReachIsRemembered(t *testing.T) {
	layout := Layout{StateDir: t.TempDir()}
	ranges, none, yes := []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}, []netip.Prefix{}, true
	for _, step := range []struct {
		change ReachChange
		want   Reach
	}{
		{ReachChange{}, Reach{}},
		{ReachChange{Private: &ranges}, Reach{Private: ranges}},
		{ReachChange{}, Reach{Private: ranges}},
		{ReachChange{LoopbackProxy: &yes}, Reach{Private: ranges, LoopbackProxy: true}},
		{ReachChange{Private: &none}, Reach{LoopbackProxy: true}},
	} {
		got, err := RememberReach(layout, step.change)
		if err != nil {
			t.Fatal(err)
		}
		read, err := ReadReach(layout)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range []Reach{got, read} {
			if !slices.Equal(r.Private, step.want.Private) || r.LoopbackProxy != step.want.LoopbackProxy {
				t.Errorf("after %+v: got %+v, want %+v", step.change, r, step.want)
			}
		}
	}
	if err := os.WriteFile(layout.reach(), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	var problem *diag.Diagnostic
	if _, err := ReadReach(layout); !errors.As(err, &problem) {
		t.Errorf("a damaged file: got %v, want a problem", err)
	}
}
