//go:build linux

package engine

import (
	"net/netip"
	"testing"

	"aloft.dev/aloft/internal/cloud/plane/admission"
)

func TestLimiterBoundsSourcesNodesAndProcess(t *testing.T) {
	a, b, c := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2"), netip.MustParseAddr("192.0.2.3")
	limits := limits{total: 6, node: 5, source: 3, connect: 1}
	process := &admission.Pool{Total: int64(limits.total)}
	first, second := newLimiter(limits, process), newLimiter(limits, process)
	admit := func(l *limiter, from netip.Addr, insecure, want bool) {
		t.Helper()
		if got := l.admit(from, insecure); got != want {
			t.Errorf("connection of %s: admitted %v, want %v", from, got, want)
		}
	}
	admit(first, a, true, true)
	admit(first, a, true, false) // one handshake at a time
	first.secured(a)
	admit(first, a, true, true)
	admit(first, a, false, true)
	admit(first, a, false, false) // three of a source
	admit(first, b, false, true)
	admit(first, b, false, true)
	admit(first, c, false, false) // five of the node
	admit(second, c, false, true)
	admit(second, c, false, false) // six in total
	first.release(b)
	admit(second, c, false, true)
	first.release(b)
	first.secured(a)
	for range 3 {
		first.release(a)
	}
	for range 2 {
		second.release(c)
	}
	if process.Open() != 0 {
		t.Errorf("%d connections are left", process.Open())
	}
}

func TestLimitsFollowFromTheDescriptors(t *testing.T) {
	if got, want := limitsFor(1<<20), (limits{262144, 209715, 167772, 20971}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := limitsFor(^uint64(0)); got.total != 1<<22 {
		t.Errorf("without a limit: %+v", got)
	}
}
