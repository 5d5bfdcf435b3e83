package balancer

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// connectTimeout is how long a node waits for a target to accept a connection
// (Application Load Balancer guide, Troubleshoot: HTTP 504 after 10 seconds).
const connectTimeout = 10 * time.Second

// fresh is for how long a connection is taken to be open after its last answer
// without a look at it.
const fresh = 100 * time.Millisecond

// upstreams are a node's connections to one target that wait for a request.
type upstreams struct {
	owner *Engine
	dial  func(context.Context, netip.AddrPort) (net.Conn, error)
	at    netip.AddrPort
	tls   bool
	idle  *atomic.Int64   // idle time-out of the load balancer in nanoseconds
	gone  context.Context //nolint:containedctx // it ends with the target's registration

	mu     sync.Mutex
	unused []*upstream // the last one served last
	closed bool
}

// upstream is a connection to a target.
type upstream struct {
	of   *upstreams
	conn net.Conn
	raw  syscall.RawConn // see rawOf
	out  *writer
	used time.Duration // when its last answer ended
	try  func(fd uintptr) bool
	back *backlog // what has come of the answer; nil: nothing
	say  []byte   // what try has to write first
	err  error    // of try
}

func (u *upstream) expelled() bool { return u.of.gone.Err() != nil }

// take returns a connection to the target, an open one if there is one.
func (p *upstreams) take(ctx context.Context, now time.Duration) (*upstream, error) {
	for {
		p.mu.Lock()
		last := len(p.unused) - 1
		if last < 0 {
			p.mu.Unlock()
			return p.connect(ctx)
		}
		u := p.unused[last]
		p.unused = p.unused[:last]
		p.mu.Unlock()
		if now-u.used < fresh || u.alive() {
			return u, nil
		}
		_ = u.conn.Close()
	}
}

// alive looks whether the target has closed the connection. One that has bytes
// that nobody asked for is of no use either.
func (u *upstream) alive() bool {
	if u.raw == nil {
		return true
	}
	open := false
	err := u.raw.Control(func(fd uintptr) {
		open = peek(fd) == unix.EAGAIN
	})
	return err == nil && open
}

func (p *upstreams) connect(ctx context.Context) (*upstream, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	conn, err := p.dial(ctx, p.at)
	if err != nil {
		return nil, err
	}
	u := &upstream{of: p, conn: conn}
	if p.tls {
		// Certificates of targets are not verified (Application Load Balancer
		// guide, Target groups for your Application Load Balancers: routing).
		secure := tls.Client(conn, &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // as AWS: see above
		if err := secure.HandshakeContext(ctx); err != nil {
			_ = conn.Close()
			return nil, err
		}
		u.conn = secure
	}
	if u.raw = rawOf(u.conn); u.raw != nil {
		u.try = u.read
	}
	u.out = newWriter(u.conn, u.raw)
	return u, nil
}

// give takes a connection back whose answer has ended now.
func (p *upstreams) give(u *upstream, now time.Duration) {
	u.used = now
	p.mu.Lock()
	if keep := !p.closed && p.gone.Err() == nil; keep {
		p.unused = append(p.unused, u)
		p.mu.Unlock()
		return
	}
	p.mu.Unlock()
	_ = u.conn.Close()
}

// reap closes connections that nobody has used for the idle time-out, or that
// the target has closed.
func (p *upstreams) reap(now time.Duration) {
	idle := time.Duration(p.idle.Load())
	p.mu.Lock()
	defer p.mu.Unlock()
	kept := p.unused[:0]
	for _, u := range p.unused {
		if p.gone.Err() != nil || now-u.used >= idle || now-u.used > sweepEvery && closed(u.raw) {
			_ = u.conn.Close()
			continue
		}
		kept = append(kept, u)
	}
	clear(p.unused[len(kept):])
	p.unused = kept
}

// close ends the connections that are not in use.
func (p *upstreams) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, u := range p.unused {
		_ = u.conn.Close()
	}
	p.unused = nil
}

// ask writes a request that has come whole and waits for bytes of the answer.
func (u *upstream) ask(request []byte) error {
	if u.raw == nil {
		if _, err := u.out.Write(request); err != nil {
			return err
		}
		return u.fill()
	}
	u.say = request
	err := u.fill()
	if len(u.say) > 0 && err == nil && u.back == nil { // the socket took a part
		rest := u.say
		u.say = nil
		if _, err := u.out.Write(rest); err != nil {
			return err
		}
		return u.fill()
	}
	u.say = nil
	return err
}

// fill waits for bytes of the answer and holds no buffer while there are none.
func (u *upstream) fill() error {
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
	u.err = nil
	if err := u.raw.Read(u.try); err != nil {
		return err
	}
	return u.err
}

// read is tried when the waiting begins and whenever the socket may have bytes.
// The poller has forgotten earlier events when it is tried first, so that what
// is written then cannot be answered unnoticed: no look for an answer is needed.
func (u *upstream) read(fd uintptr) bool {
	if len(u.say) > 0 {
		n, errno := rawWrite(fd, u.say)
		if errno != 0 && errno != unix.EAGAIN {
			u.err = errno
			return true
		}
		u.say = u.say[n:]
		return len(u.say) > 0
	}
	b := newBacklog()
	n, errno := rawRead(fd, b.room())
	switch {
	case errno == unix.EAGAIN:
		b.release()
		return false
	case errno != 0:
		u.err = errno
	case n == 0:
		u.err = errTargetClosed
	default:
		b.end += n
		u.back = b
		return true
	}
	b.release()
	return true
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
