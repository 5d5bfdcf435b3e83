package balancer

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// connection is a client's connection to a node. One goroutine serves it; the
// sweeper looks at it from outside and interrupts what takes too long, so that
// no timer is set for a request.
type connection struct {
	port *port
	conn net.Conn        // what requests come over: TCP, TLS, or the pipe of an HTTP/2 stream
	raw  syscall.RawConn // see rawOf
	out  *writer
	from netip.AddrPort
	born time.Duration // on the engine's clock
	try  func(fd uintptr) bool
	x    *exchange // of the present request; nil while none is under way
	id   [2]uint64 // names it in the access log; zero: not yet

	bare   net.Conn             // under conn: what was accepted, or the pipe
	socket syscall.RawConn      // the client's socket, of which the kernel knows; nil: there is none
	tls    *tls.ConnectionState // nil: there is no TLS, or no agreement yet
	stream bool                 // it is a request of an HTTP/2 connection

	certificate string // ARN of the one that the client was shown

	mu    sync.Mutex
	phase phase
	since time.Duration // when the phase began
	up    *upstream     // that serves the present request
	fate  fate
	h2    *http.Server // serves the connection, whose streams are connections of their own
}

// phase is what a connection is waiting for.
type phase uint8

const (
	resting    phase = iota // the next request
	asking                  // the rest of a request's head
	connecting              // a connection to the target
	thinking                // the target's answer
	flowing                 // bodies, or a tunnel's bytes
	carrying                // HTTP/2 streams
)

// fate is why a connection was interrupted.
type fate uint8

const (
	none     fate = iota
	idled         // nothing came for the idle time-out
	left          // the client closed the connection
	expelled      // the target is no longer registered
	broken        // the port was closed, and the time to finish is over
)

var past = time.Unix(1, 0)

// newConnection is a connection that was accepted, and what is spoken over it:
// itself, or TLS.
func newConnection(p *port, from *accepted, conn net.Conn) *connection {
	c := &connection{port: p, conn: conn, bare: from, socket: rawOf(from), from: from.from, born: p.node.owner.now()}
	c.since = c.born
	if c.raw = rawOf(conn); c.raw != nil {
		c.try = c.read
	}
	c.out = newWriter(conn, c.raw)
	return c
}

// scheme is what the client speaks.
func (c *connection) scheme() string {
	if c.tls != nil {
		return "https"
	}
	return "http"
}

// serve answers requests until the connection ends.
func (c *connection) serve() {
	defer c.port.leave(c)
	defer func() { _ = c.conn.Close() }()
	if conn, ok := c.conn.(*tls.Conn); ok {
		if !c.handshake(conn) {
			return
		}
		if c.tls.NegotiatedProtocol == "h2" {
			c.serveHTTP2()
			return
		}
	}
	for c.await() {
		if !c.exchange(c.x) {
			break
		}
		if c.x.pending() == 0 {
			c.x.release()
			c.x = nil
		}
	}
	if c.x != nil {
		c.x.release()
		c.x = nil
	}
}

// await waits for the beginning of a request and holds no buffer meanwhile.
func (c *connection) await() bool {
	if !c.enter(resting, nil) {
		return false
	}
	if c.x != nil {
		return true // it came together with the last request
	}
	if c.raw == nil {
		c.x = newExchange()
		return c.fill(c.x) == nil
	}
	return c.raw.Read(c.try) == nil && c.x != nil
}

// read is tried whenever the socket may have bytes.
func (c *connection) read(fd uintptr) bool {
	x := newExchange()
	n, errno := rawRead(fd, x.in[:cap(x.in)])
	switch {
	case errno == unix.EAGAIN:
		x.release()
		return false
	case errno != 0 || n == 0:
		x.release()
	default:
		x.in = x.in[:n]
		c.x = x
	}
	return true
}

// fill reads more of the client into the exchange's buffer, which grows.
func (c *connection) fill(x *exchange) error {
	x.room()
	n, err := c.conn.Read(x.in[len(x.in):cap(x.in)])
	x.in = x.in[:len(x.in)+n]
	if n > 0 {
		return nil
	}
	return err
}

// enter begins a phase; false: the connection has been interrupted.
func (c *connection) enter(p phase, up *upstream) bool {
	now := c.port.node.owner.roughly()
	c.mu.Lock()
	c.phase, c.since, c.up = p, now, up
	free := c.fate == none
	c.mu.Unlock()
	return free
}

// why returns why the connection was interrupted.
func (c *connection) why() fate {
	c.mu.Lock()
	why := c.fate
	c.mu.Unlock()
	return why
}

// interrupt ends whatever the connection waits for.
func (c *connection) interrupt(why fate) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.doom(why)
}

// doom does so with the lock held. A connection that waits for a target can
// still be answered; any other is at its end.
func (c *connection) doom(why fate) {
	if c.fate != none && why != broken {
		return
	}
	c.fate = why
	if c.up != nil {
		_ = c.up.conn.SetDeadline(past)
	}
	switch {
	case why == broken:
		if a, ok := c.bare.(*accepted); ok {
			a.cut() // TLS would want to say farewell
		} else {
			_ = c.bare.Close()
		}
	case c.phase == resting || c.phase == asking:
		_ = c.conn.SetReadDeadline(past)
	case c.phase == flowing:
		_ = c.conn.SetDeadline(past)
	}
}

// retire ends a connection that has no request, because its port closes.
func (c *connection) retire() {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.h2 != nil:
		c.port.node.owner.tasks.Go(c.sayGoodbye(c.h2))
	case c.phase == resting && !c.stream:
		c.doom(left)
	}
}
