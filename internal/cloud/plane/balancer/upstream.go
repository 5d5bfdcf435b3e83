package balancer

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer/socket"
)

// connectTimeout is how long a node waits for a target to accept a connection
// (Application Load Balancer guide, Troubleshoot: HTTP 504 after 10 seconds).
const connectTimeout = 10 * time.Second

// fresh is for how long a connection is taken to be open after its last answer
// without a look at it, where no loop would have been told.
const fresh = 100 * time.Millisecond

// upstreams are a node's connections to one target that wait for a request.
type upstreams struct {
	owner *Engine
	dial  func(context.Context, *socket.Loop, netip.AddrPort) (*socket.Conn, error)
	at    netip.AddrPort
	tls   bool
	idle  *atomic.Int64   // idle time-out of the load balancer in nanoseconds
	gone  context.Context //nolint:containedctx // it ends with the target's registration

	lanes []upstreamLane // a loop's connections stay with it
}

// upstreamLane are the connections of a loop, or of goroutines.
type upstreamLane struct {
	loop  *socket.Loop // nil: of goroutines
	batch socket.Batch // of requests that the loop has for the target

	mu     sync.Mutex
	unused []*upstream // the last one served last
	closed bool
}

// upstream is a connection to a target.
type upstream struct {
	of   *upstreams
	conn net.Conn      // the socket, or TLS over it
	raw  *socket.Conn  // conn, when nothing is between; else nil
	used time.Duration // when its last answer ended
	back *backlog      // what has come of the answer; nil: nothing

	socket *socket.Conn
}

func (u *upstream) expelled() bool { return u.of.gone.Err() != nil }

// take returns a connection to the target for a request of the client, an open one
// if there is one. One that has bytes that nobody asked for is of no use either.
func (p *upstreams) take(c *connection, now time.Duration) (*upstream, error) {
	lane := &p.lanes[c.lane]
	for {
		lane.mu.Lock()
		last := len(lane.unused) - 1
		if last < 0 {
			lane.mu.Unlock()
			return p.more(c)
		}
		u := lane.unused[last]
		lane.unused = lane.unused[:last]
		lane.mu.Unlock()
		if u.raw == nil || u.raw.Reusable(now-u.used < fresh) {
			return u, nil
		}
		_ = u.conn.Close()
	}
}

// more makes another connection. TLS is agreed on by a goroutine: it is the standard
// library's, and takes long.
func (p *upstreams) more(c *connection) (u *upstream, err error) {
	switch {
	case c.task == nil:
		return p.connect(nil)
	case !p.tls:
		return p.connect(c.task.Loop())
	}
	if c.away(func() { u, err = p.connect(nil) }); err == nil {
		u.socket.Attach(c.task.Loop())
	}
	return u, err
}

// connect makes a connection, which is on the loop whose task calls; nil: on none.
func (p *upstreams) connect(loop *socket.Loop) (*upstream, error) {
	ctx, cancel := context.WithTimeout(context.Background(), connectTimeout)
	defer cancel()
	conn, err := p.dial(ctx, loop, p.at)
	switch {
	case err != nil:
		return nil, err
	case !p.tls:
		return &upstream{of: p, conn: conn, raw: conn, socket: conn}, nil
	}
	// Certificates of targets are not verified (Application Load Balancer
	// guide, Target groups for your Application Load Balancers: routing).
	secure := tls.Client(conn, &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // as AWS: see above
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return &upstream{of: p, conn: secure, socket: conn}, nil
}

// give takes a connection back whose answer has ended now.
func (p *upstreams) give(u *upstream, number int, now time.Duration) {
	u.used = now
	lane := &p.lanes[number]
	lane.mu.Lock()
	keep := !lane.closed && p.gone.Err() == nil
	if keep {
		lane.unused = append(lane.unused, u)
	}
	lane.mu.Unlock()
	if !keep {
		_ = u.conn.Close()
	}
}

// reap closes connections that nobody has used for the idle time-out, or that
// the target has closed.
func (p *upstreams) reap(now time.Duration) {
	idle := time.Duration(p.idle.Load())
	for i := range p.lanes {
		lane := &p.lanes[i]
		lane.drop(func(u *upstream) bool {
			return p.gone.Err() != nil || now-u.used >= idle || now-u.used > sweepEvery && lane.lost(u)
		})
	}
}

// lost tells whether the target has closed the connection. A loop has been told; else
// the kernel is asked.
func (l *upstreamLane) lost(u *upstream) bool {
	if l.loop != nil && u.raw != nil {
		return !u.raw.Reusable(true)
	}
	return closed(u.socket)
}

// close ends the connections that are not in use, and will end the others.
func (p *upstreams) close() {
	for i := range p.lanes {
		lane := &p.lanes[i]
		lane.mu.Lock()
		lane.closed = true
		lane.mu.Unlock()
		lane.drop(func(*upstream) bool { return true })
	}
}

// waiting counts the connections that are not in use.
func (p *upstreams) waiting() (n int) {
	for i := range p.lanes {
		lane := &p.lanes[i]
		lane.mu.Lock()
		n += len(lane.unused)
		lane.mu.Unlock()
	}
	return n
}

// drop closes those that are not in use and of no use. On a loop its goroutine does
// so, soon: it knows what has become of them, and TLS says farewell.
func (l *upstreamLane) drop(useless func(*upstream) bool) {
	closeThem := func() {
		for _, u := range l.without(useless) {
			_ = u.conn.Close()
		}
	}
	switch {
	case l.loop == nil:
		closeThem()
	case !l.loop.PostTask(closeThem): // it has ended
		for _, u := range l.without(useless) {
			_ = u.socket.Close()
		}
	}
}

// without takes those out that are of no use.
func (l *upstreamLane) without(useless func(*upstream) bool) (out []*upstream) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unused = slices.DeleteFunc(l.unused, func(u *upstream) bool {
		no := useless(u)
		if no {
			out = append(out, u)
		}
		return no
	})
	return out
}

// fill waits for bytes of the answer and holds no buffer while there are none. A
// loop has then go on, if it is not nil (socket.ErrLater).
func (u *upstream) fill(then socket.Server) error {
	if u.back != nil || u.raw == nil {
		if u.back == nil {
			u.back = newBacklog()
		}
		n, err := u.conn.Read(u.back.room())
		u.back.end += n
		if n > 0 {
			return nil
		}
		return err
	}
	for {
		if err := u.raw.WaitRead(then); err != nil {
			return err
		}
		b := newBacklog()
		n, err := u.raw.TryRead(b.room())
		if err == nil {
			b.end += n
			u.back = b
			return nil
		}
		if b.release(); err != socket.ErrNotReady { //nolint:errorlint // it comes bare
			return err
		}
	}
}

// drop closes the connection; what came of an answer is forgotten.
func (u *upstream) drop() {
	u.rest()
	_ = u.conn.Close()
}

// rest frees the buffer.
func (u *upstream) rest() {
	if u.back != nil {
		u.back.release()
		u.back = nil
	}
}
