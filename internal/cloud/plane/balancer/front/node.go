//go:build linux

package front

import (
	"context"
	"net"
	"net/netip"
	"sync/atomic"
	"time"
)

// connectTimeout is how long the front tries one address of a name before it tries the
// next. It stands in for a client's own connect timeout.
const connectTimeout = time.Second

// dnsCheck is how AWS's DNS checks the address of a node: it connects every ten
// seconds, and three checks in a row with another result remove the address from
// the name or put it back (Amazon Route 53 Developer Guide, "How Amazon Route 53
// determines whether a health check is healthy", and "Values that you specify when
// you create or update health checks": interval 10 s or 30 s, failure threshold 3,
// connection within 4 s).
var dnsCheck = nodeCheck{interval: 10 * time.Second, timeout: 4 * time.Second, threshold: 3}

type nodeCheck struct {
	interval, timeout time.Duration
	threshold         int // checks in a row
}

// node is a node's public address at one port. Its name includes a new node at once.
type node struct {
	at      netip.AddrPort
	failing atomic.Bool // it does not accept, and its name leaves it out
	stop    context.CancelFunc
	// failedOver reports whether the node's targets keep it out of the name; nil: no.
	failedOver func() bool
}

// watch checks the node until ctx ends.
func (n *node) watch(ctx context.Context, check nodeCheck) {
	tick := time.NewTicker(check.interval)
	defer tick.Stop()
	for contrary := 0; ; { // checks in a row that contradict n.failing
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		failed := !n.accepts(ctx, check.timeout)
		switch {
		case ctx.Err() != nil:
			return
		case failed == n.failing.Load():
			contrary = 0
		default:
			if contrary++; contrary == check.threshold {
				n.failing.Store(failed)
				contrary = 0
			}
		}
	}
}

func (n *node) accepts(ctx context.Context, timeout time.Duration) bool {
	conn, err := n.connect(ctx, timeout)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

func (n *node) connect(ctx context.Context, timeout time.Duration) (net.Conn, error) {
	d := net.Dialer{Timeout: timeout}
	return d.DialContext(ctx, "tcp", n.at.String())
}

// resolve returns the nodes that a name resolves to now: those that neither fail nor
// have failed over, or all if that leaves none (Amazon Route 53 Developer Guide, "How
// Amazon Route 53 chooses records when health checking is configured": with no
// healthy record, all are considered healthy).
func resolve(nodes []*node) []*node {
	in := make([]*node, 0, len(nodes))
	for _, n := range nodes {
		if !n.failing.Load() && (n.failedOver == nil || !n.failedOver()) {
			in = append(in, n)
		}
	}
	if len(in) == 0 {
		return nodes
	}
	return in
}
