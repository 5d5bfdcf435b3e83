//go:build linux

package firewall

import (
	"fmt"
	"net/netip"
	"testing"
)

func TestSlotsAreSharedEquallyAndRarelyMove(t *testing.T) {
	targets := func(n int) []netip.AddrPort {
		var out []netip.AddrPort
		for i := range n {
			out = append(out, netip.MustParseAddrPort(fmt.Sprintf("10.0.1.%d:3000", i+10)))
		}
		return out
	}
	for n := 1; n <= 20; n++ {
		slots := distribute(targets(n))
		share := map[netip.AddrPort]int{}
		for _, at := range slots {
			share[at]++
		}
		for at, count := range share {
			if count != slotCount/n && count != slotCount/n+1 {
				t.Errorf("of %d targets, %s has %d of %d slots", n, at, count, slotCount)
			}
		}
		if len(share) != n {
			t.Errorf("%d of %d targets have slots", len(share), n)
		}
		moved := 0
		for i, at := range distribute(targets(n + 1)) {
			if at != slots[i] && at != targets(n + 1)[n] {
				moved++
			}
		}
		if moved > slotCount/4 {
			t.Errorf("with one target more than %d, %d of %d slots moved between the others", n, moved, slotCount)
		}
	}
}
