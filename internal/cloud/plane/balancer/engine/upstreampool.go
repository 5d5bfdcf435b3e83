//go:build linux

package engine

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/socket"
)

// upstreamPool holds a node's unused connections to one target.
type upstreamPool struct {
	node       *node
	at         netip.AddrPort
	tls        bool
	version    balancer.Version
	http2      *http.Transport // nil: the target uses HTTP/1.1
	registered context.Context //nolint:containedctx // ends with the target's registration

	lanes []upstreamLane // a loop's connections stay with it; the last lane is the goroutines'
}

// upstreamLane holds the connections of one loop, or those of goroutines.
type upstreamLane struct {
	loop  *socket.Loop // nil: of goroutines
	batch socket.Batch // requests of the loop for the target

	mu     sync.Mutex
	unused []*upstream // the last one was used last
	closed bool
}

func newUpstreamPool(n *node, key upstreamKey, registered context.Context) *upstreamPool {
	loops := n.engine.loops
	p := &upstreamPool{
		node: n, at: key.at, tls: key.tls, version: key.version, registered: registered,
		lanes: make([]upstreamLane, len(loops)+1),
	}
	if p.version != balancer.HTTP1 {
		p.http2 = p.newHTTP2Transport()
	}
	for i, loop := range loops {
		p.lanes[i].loop = loop
	}
	return p
}

// acquire returns a connection to the target for a request of the client: an unused one
// if it is open, or else a new one. A connection with unexpected bytes is closed.
func (p *upstreamPool) acquire(c *connection, now time.Duration) (*upstream, error) {
	if p.http2 != nil {
		return p.carry(), nil
	}
	lane := &p.lanes[c.lane]
	for {
		lane.mu.Lock()
		last := len(lane.unused) - 1
		if last < 0 {
			lane.mu.Unlock()
			return p.dialUpstream(c)
		}
		u := lane.unused[last]
		lane.unused = lane.unused[:last]
		lane.mu.Unlock()
		if u.raw == nil || u.raw.Reusable(now-u.used < reuseUnchecked) {
			return u, nil
		}
		_ = u.conn.Close()
	}
}

// dialUpstream makes a new connection for the client. The TLS handshake needs a
// goroutine: the standard library makes it, and it takes long.
func (p *upstreamPool) dialUpstream(c *connection) (u *upstream, err error) {
	switch {
	case c.task == nil:
		return p.connect(nil)
	case !p.tls:
		family := socket.FamilyOf(p.at.Addr())
		if sockets := p.node.sockets.Load(); sockets != nil && !sockets.stocked(family) {
			c.runBlocking(func() { _ = sockets.fetch(family) }) // if it fails, so does connect
		}
		return p.connect(c.task.Loop())
	}
	if c.runBlocking(func() { u, err = p.connect(nil) }); err == nil {
		u.socket.Attach(c.task.Loop())
	}
	return u, err
}

// connect makes a connection that belongs to the loop whose task calls, or to no loop.
func (p *upstreamPool) connect(loop *socket.Loop) (*upstream, error) {
	ctx, cancel := context.WithTimeout(context.Background(), connectTimeout)
	defer cancel()
	conn, err := p.node.dial(ctx, loop, p.at)
	if err != nil {
		return nil, err
	}
	return p.secure(ctx, conn)
}

// secure returns the connection that uses TLS over a new one, if the target does. It offers
// the protocols by ALPN.
func (p *upstreamPool) secure(ctx context.Context, conn *socket.Conn, protocols ...string) (*upstream, error) {
	sums := &p.node.counts.lanes[0].sums
	sums[newConnections].Add(1)
	if !p.tls {
		return &upstream{pool: p, conn: conn, raw: conn, socket: conn}, nil
	}
	// Certificates of targets are not verified (Application Load Balancer
	// guide, Target groups for your Application Load Balancers: routing).
	config := &tls.Config{InsecureSkipVerify: true, NextProtos: protocols} //nolint:gosec // as AWS: see above
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		sums[targetTLSErrors].Add(1)
		_ = conn.Close()
		return nil, err
	}
	return &upstream{pool: p, conn: secure, socket: conn}, nil
}

// release makes a connection available again. Its response has ended now.
func (p *upstreamPool) release(u *upstream, number int, now time.Duration) {
	u.used = now
	lane := &p.lanes[number]
	lane.mu.Lock()
	keep := !lane.closed && p.registered.Err() == nil
	if keep {
		lane.unused = append(lane.unused, u)
	}
	lane.mu.Unlock()
	if !keep {
		_ = u.conn.Close()
	}
}

// closeStale closes connections that were not used for the idle timeout, or that the
// target has closed.
func (p *upstreamPool) closeStale(now time.Duration) {
	timeout := time.Duration(p.node.idleTimeout.Load())
	for i := range p.lanes {
		lane := &p.lanes[i]
		lane.closeIf(func(u *upstream) bool {
			unused := now - u.used
			return p.registered.Err() != nil || unused >= timeout || unused > sweepInterval && lane.targetClosed(u)
		})
	}
}

// close closes the unused connections. The others are closed when they are released.
func (p *upstreamPool) close() {
	if p.http2 != nil {
		p.http2.CloseIdleConnections()
	}
	for i := range p.lanes {
		lane := &p.lanes[i]
		lane.mu.Lock()
		lane.closed = true
		lane.mu.Unlock()
		lane.closeIf(func(*upstream) bool { return true })
	}
}

// unused returns the number of unused connections.
func (p *upstreamPool) unused() (n int) {
	for i := range p.lanes {
		lane := &p.lanes[i]
		lane.mu.Lock()
		n += len(lane.unused)
		lane.mu.Unlock()
	}
	return n
}

// targetClosed reports whether the target has closed the connection. A loop has been
// told; otherwise it asks the kernel.
func (l *upstreamLane) targetClosed(u *upstream) bool {
	if l.loop != nil && u.raw != nil {
		return !u.raw.Reusable(true)
	}
	return peerClosed(u.socket)
}

// closeIf closes the unused connections for which it returns true. A loop's connections
// are closed on the loop soon, because it knows their state and TLS writes an alert.
func (l *upstreamLane) closeIf(stale func(*upstream) bool) {
	closeStale := func() {
		for _, u := range l.remove(stale) {
			_ = u.conn.Close()
		}
	}
	switch {
	case l.loop == nil:
		closeStale()
	case !l.loop.PostTask(closeStale): // the loop has ended
		for _, u := range l.remove(stale) {
			_ = u.socket.Close()
		}
	}
}

// remove removes and returns the unused connections for which stale returns true.
func (l *upstreamLane) remove(stale func(*upstream) bool) (removed []*upstream) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unused = slices.DeleteFunc(l.unused, func(u *upstream) bool {
		remove := stale(u)
		if remove {
			removed = append(removed, u)
		}
		return remove
	})
	return removed
}
