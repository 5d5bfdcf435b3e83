//go:build linux

package engine

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
// goroutine. The sweeper inspects it from outside and interrupts it if it takes too
// long, so no request sets a timer.
type connection struct {
	// What every request needs comes first, on two cache lines: with thousands of
	// connections they have to be fetched from memory.
	port *port
	conn net.Conn     // carries the requests: TCP, TLS, or the pipe of an HTTP/2 stream
	raw  *socket.Conn // conn if it is plain TCP; else nil
	x    *exchange    // of the present request; nil between requests
	task *socket.Task // of the loop that serves it; nil: a goroutine does
	lane int          // index of the loop that serves it; after the last loop: a goroutine does

	mu           sync.Mutex    // guards the fields up to h2
	since        time.Duration // when the phase began
	up           *upstream     // serves the present request
	phase        phase
	interruption interruption
	h2           *http.Server // serves the connection, whose streams are connections of their own

	suspended bool           // a target has the request and has not responded; a loop will resume
	stream    bool           // it is a request of an HTTP/2 connection
	insecure  bool           // its TLS handshake is not over
	opaque    bool           // it carries other bytes than requests, to one target: see serveFlow
	client    netip.AddrPort // the client's address
	accepted  time.Duration  // on the engine's clock

	socket      *socket.Conn         // the client's TCP connection
	tls         *tls.ConnectionState // nil: no TLS, or its handshake is not over
	id          [2]uint64            // names it in the access log; zero: not set yet
	certificate string               // ARN of the certificate that the client got
}

// phase says what a connection waits for.
type phase uint8

const (
	idle             phase = iota // the next request
	readingHead                   // the rest of a request's head
	connecting                    // a connection to the target
	awaitingResponse              // the target's response
	transferring                  // bodies, or a tunnel's bytes
	servingHTTP2                  // HTTP/2 streams
)

// past is a deadline that ends an operation at once.
var past = time.Unix(1, 0)

// newConnection returns an accepted connection. conn is from itself, or TLS over it.
func newConnection(p *port, from *socket.Conn, conn net.Conn, lane int) *connection {
	now := p.node.engine.now()
	c := &connection{
		port: p, conn: conn, socket: from, client: from.RemoteAddrPort(), accepted: now, since: now, lane: lane,
	}
	if conn == from {
		c.raw = from
	}
	return c
}

// Serve serves the connection on a loop.
func (c *connection) Serve(t *socket.Task) {
	c.task = t
	c.serveRequests()
}

// runBlocking runs do, which a loop cannot wait for, on a goroutine.
func (c *connection) runBlocking(do func()) {
	with := []*socket.Conn{c.socket}
	c.mu.Lock()
	if c.up != nil {
		with = append(with, c.up.socket)
	}
	c.mu.Unlock()
	c.task.RunBlocking(do, with...)
}

// scheme returns the scheme of the client's URLs.
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
		c.close()
	case c.opaque:
		c.serveFlow()
	case secure && c.tls.NegotiatedProtocol == "h2":
		c.serveHTTP2()
		c.close()
	default:
		c.serveRequests()
	}
}

// serveRequests serves requests until the connection ends. On a loop it returns when
// it would have to wait; the loop resumes it.
func (c *connection) serveRequests() {
	for {
		switch err := c.serveRequest(); {
		case err == socket.ErrNotReady: //nolint:errorlint // it is never wrapped
			return
		case err != nil:
			c.close()
			return
		}
	}
}

// errDone ends a connection as intended.
var errDone = errors.New("the connection is done")

// serveRequest serves a request, or resumes one.
func (c *connection) serveRequest() error {
	if !c.suspended {
		if err := c.awaitRequest(); err != nil {
			return err
		}
	}
	keep := c.serveExchange(c.x)
	switch {
	case c.suspended:
		return socket.ErrNotReady
	case !keep:
		return errDone
	case c.x.unread() == 0:
		c.x.release()
		c.x = nil
	}
	return nil
}

// close closes the connection and removes it from its port.
func (c *connection) close() {
	if c.x != nil {
		c.x.release()
		c.x = nil
	}
	_ = c.conn.Close()
	c.port.remove(c)
}

// awaitRequest waits for the beginning of a request, without a buffer.
func (c *connection) awaitRequest() error {
	if !c.enterPhase(idle, nil) {
		return errDone
	}
	if c.x != nil {
		return nil // it came together with the last request
	}
	if c.raw == nil {
		c.x = newExchange()
		return c.read(c.x)
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
		if x.release(); err != socket.ErrNotReady { //nolint:errorlint // it is never wrapped
			return err
		}
	}
}

// read reads more from the client into the exchange's buffer, which grows.
func (c *connection) read(x *exchange) error {
	x.grow()
	n, err := c.conn.Read(x.in[len(x.in):cap(x.in)])
	x.in = x.in[:len(x.in)+n]
	if n > 0 {
		return nil
	}
	return err
}

// enterPhase begins a phase. It returns false if the connection has been interrupted.
func (c *connection) enterPhase(p phase, up *upstream) bool {
	now := c.port.node.engine.coarseNow()
	c.mu.Lock()
	c.phase, c.since, c.up = p, now, up
	uninterrupted := c.interruption == notInterrupted
	c.mu.Unlock()
	return uninterrupted
}

// recordProgress restarts the phase's timeout.
func (c *connection) recordProgress() {
	now := c.port.node.engine.now()
	c.mu.Lock()
	c.since = now
	c.mu.Unlock()
}

// detachUpstream ends the use of the target's connection. It returns false if the
// client's connection was interrupted.
func (c *connection) detachUpstream() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.phase, c.up = transferring, nil
	return c.interruption == notInterrupted
}

// linger lets the client read the response: closing at once while bytes from the
// client are unread would reset the connection (RFC 9112, section 9.6).
func (c *connection) linger() {
	half, ok := c.conn.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	rest := make([]byte, 4096)
	_ = c.conn.SetReadDeadline(time.Now().Add(lingerTimeout))
	for range lingerReads {
		if _, err := c.conn.Read(rest); err != nil {
			return
		}
	}
}
