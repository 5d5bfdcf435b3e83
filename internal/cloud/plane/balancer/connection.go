package balancer

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer/socket"
)

// connection is a client's connection to a node. A task of a loop serves it, or a
// goroutine; the sweeper looks at it from outside and interrupts what takes too
// long, so that no timer is set for a request.
type connection struct {
	// What every request needs comes first, on two cache lines: with thousands of
	// connections they have to be fetched from memory.
	port *port
	conn net.Conn     // what requests come over: TCP, TLS, or the pipe of an HTTP/2 stream
	raw  *socket.Conn // conn, when nothing is between, as TLS; else nil
	x    *exchange    // of the present request; nil while none is under way
	task *socket.Task // of the loop that serves it; nil: a goroutine does
	lane int          // of whoever serves it

	mu    sync.Mutex    // guards what follows, up to h2
	since time.Duration // when the phase began
	up    *upstream     // that serves the present request
	phase phase
	fate  fate
	h2    *http.Server // serves the connection, whose streams are connections of their own

	asked  bool           // a target has the request, and has not answered
	stream bool           // it is a request of an HTTP/2 connection
	from   netip.AddrPort // the client
	born   time.Duration  // on the engine's clock

	socket      *socket.Conn         // the client's, of which the kernel knows
	tls         *tls.ConnectionState // nil: there is no TLS, or no agreement yet
	id          [2]uint64            // names it in the access log; zero: not yet
	certificate string               // ARN of the one that the client was shown
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
func newConnection(p *port, from *socket.Conn, conn net.Conn, lane int) *connection {
	c := &connection{port: p, conn: conn, socket: from, from: from.RemoteAddrPort(), born: p.node.owner.now(), lane: lane}
	c.since = c.born
	if conn == from {
		c.raw = from
	}
	return c
}

// Serve goes on with the connection on a loop.
func (c *connection) Serve(t *socket.Task) {
	c.task = t
	c.proceed()
}

// away does what a loop cannot wait for.
func (c *connection) away(do func()) {
	with := []*socket.Conn{c.socket}
	c.mu.Lock()
	if c.up != nil {
		with = append(with, c.up.socket)
	}
	c.mu.Unlock()
	c.task.RunBlocking(do, with...)
}

// scheme is what the client speaks.
func (c *connection) scheme() string {
	if c.tls != nil {
		return "https"
	}
	return "http"
}

// serve serves the connection on a goroutine.
func (c *connection) serve() {
	conn, secure := c.conn.(*tls.Conn)
	switch {
	case secure && !c.handshake(conn):
		c.end()
	case secure && c.tls.NegotiatedProtocol == "h2":
		c.serveHTTP2()
		c.end()
	default:
		c.proceed()
	}
}

// proceed answers requests until the connection ends; on a loop only as long as
// there is something to do.
func (c *connection) proceed() {
	for {
		switch err := c.step(); {
		case err == socket.ErrNotReady: //nolint:errorlint // it comes bare
			return
		case err != nil:
			c.end()
			return
		}
	}
}

// errDone ends a connection as intended.
var errDone = errors.New("the connection has done its work")

// step answers a request, or goes on with one.
func (c *connection) step() error {
	if !c.asked {
		if err := c.await(); err != nil {
			return err
		}
	}
	keep := c.exchange(c.x)
	switch {
	case c.asked:
		return socket.ErrNotReady
	case !keep:
		return errDone
	case c.x.pending() == 0:
		c.x.release()
		c.x = nil
	}
	return nil
}

// end closes the connection.
func (c *connection) end() {
	if c.x != nil {
		c.x.release()
		c.x = nil
	}
	_ = c.conn.Close()
	c.port.leave(c)
}

// await waits for the beginning of a request and holds no buffer meanwhile.
func (c *connection) await() error {
	if !c.enter(resting, nil) {
		return errDone
	}
	if c.x != nil {
		return nil // it came together with the last request
	}
	if c.raw == nil {
		c.x = newExchange()
		return c.fill(c.x)
	}
	for {
		if err := c.raw.WaitRead(c); err != nil {
			return err
		}
		x := newExchange()
		n, err := c.raw.TryRead(x.in[:cap(x.in)])
		if err == nil {
			x.in, c.x = x.in[:n], x
			return nil
		}
		if x.release(); err != socket.ErrNotReady { //nolint:errorlint // it comes bare
			return err
		}
	}
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
		if c.stream {
			_ = c.conn.Close()
		} else {
			c.socket.Shutdown() // TLS would want to say farewell
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
