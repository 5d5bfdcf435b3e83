//go:build linux

package admission

import (
	"net/netip"
	"sync/atomic"
	"testing"
	"time"
)

var a, b, c = netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2"), netip.MustParseAddr("192.0.2.3")

func TestLimiterBoundsSourcesNodesAndProcess(t *testing.T) {
	var total atomic.Int64
	limits := Limits{Total: 6, Node: 5, Source: 3, Connect: 1}
	first, second := NewLimiter(limits, &total), NewLimiter(limits, &total)
	admit := func(l *Limiter, from netip.Addr, insecure, want bool) {
		t.Helper()
		if got := l.Admit(from, insecure); got != want {
			t.Errorf("connection of %s: admitted %v, want %v", from, got, want)
		}
	}
	admit(first, a, true, true)
	admit(first, a, true, false) // one handshake at a time
	first.Secured(a)
	admit(first, a, true, true)
	admit(first, a, false, true)
	admit(first, a, false, false) // three of a source
	admit(first, b, false, true)
	admit(first, b, false, true)
	admit(first, c, false, false) // five of the node
	admit(second, c, false, true)
	admit(second, c, false, false) // six in total
	first.Release(b)
	admit(second, c, false, true)
	first.Release(b)
	first.Secured(a)
	for range 3 {
		first.Release(a)
	}
	for range 2 {
		second.Release(c)
	}
	if total.Load() != 0 || len(first.sources)+len(second.sources) != 0 {
		t.Errorf("%d connections are left, of %d sources", total.Load(), len(first.sources)+len(second.sources))
	}
}

func TestLimitsFollowFromTheDescriptors(t *testing.T) {
	if got, want := LimitsFor(1<<20), (Limits{262144, 209715, 167772, 20971}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := LimitsFor(^uint64(0)); got.Total != 1<<22 {
		t.Errorf("without a limit: %+v", got)
	}
}

func TestNoticeIsDueOnceInAWhile(t *testing.T) {
	var n Notice
	start := time.Unix(1000, 0)
	for i, want := range []int{1, 0, 0, 3, 0, 2} {
		at := start.Add(time.Duration(i) * noticeInterval / 3)
		if i > 3 {
			at = at.Add(noticeInterval / 2)
		}
		if count, due := n.Due(at); due != (want > 0) || count != want {
			t.Errorf("occurrence %d: %d, %v; want %d", i, count, due, want)
		}
	}
}
