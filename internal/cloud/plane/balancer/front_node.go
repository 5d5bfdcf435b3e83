package balancer

import (
	"context"
	"net"
	"net/netip"
	"sync/atomic"
	"time"
)

// frontConnect is how long a client, for which the front stands, tries one
// address of a name before it goes on to the next.
const frontConnect = time.Second

// recordCheck is how the DNS of AWS watches the address of a node: a connection
// every ten seconds; three checks in a row that say otherwise take the address
// out of the name's answers, or put it back (Amazon Route 53 Developer Guide,
// "How Amazon Route 53 determines whether a health check is healthy", and
// "Values that you specify when you create or update health checks": interval
// 10 s or 30 s, failure threshold 3, connection within 4 s).
var recordCheck = nodeCheck{interval: 10 * time.Second, timeout: 4 * time.Second, threshold: 3}

type nodeCheck struct {
	interval, timeout time.Duration
	threshold         int
}

// frontNode is a node's public address at one port, as the name's answers hold
// it. A new one is among them at once.
type frontNode struct {
	at   netip.AddrPort
	out  atomic.Bool // the answers leave it out
	stop context.CancelFunc
	// unfit tells that the node's own targets should keep it out of the answers;
	// nil: nothing does.
	unfit func() bool
}

// watch checks the node until ctx ends.
func (n *frontNode) watch(ctx context.Context, check nodeCheck) {
	tick := time.NewTicker(check.interval)
	defer tick.Stop()
	for against := 0; wait(ctx, tick.C, nil); {
		fails := !n.accepts(ctx, check.timeout)
		switch {
		case ctx.Err() != nil:
			return
		case fails == n.out.Load():
			against = 0
		default:
			if against++; against == check.threshold {
				n.out.Store(fails)
				against = 0
			}
		}
	}
}

func (n *frontNode) accepts(ctx context.Context, within time.Duration) bool {
	conn, err := n.connect(ctx, within)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

func (n *frontNode) connect(ctx context.Context, within time.Duration) (net.Conn, error) {
	d := net.Dialer{Timeout: within}
	return d.DialContext(ctx, "tcp", n.at.String())
}

// resolved are the nodes that a name leads to now: those that are not left out,
// and all when every one would be (Amazon Route 53 Developer Guide, "How Amazon
// Route 53 chooses records when health checking is configured": with no healthy
// record, all are considered healthy).
func resolved(nodes []*frontNode) []*frontNode {
	in := make([]*frontNode, 0, len(nodes))
	for _, n := range nodes {
		if !n.out.Load() && (n.unfit == nil || !n.unfit()) {
			in = append(in, n)
		}
	}
	if len(in) == 0 {
		return nodes
	}
	return in
}
