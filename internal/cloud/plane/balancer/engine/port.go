//go:build linux

package engine

import (
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/admission"
	"aloft.dev/aloft/internal/cloud/plane/balancer/socket"
)

// port is a port on which a node listens, with the connections that it accepted.
type port struct {
	node   *node
	number uint16
	socket *socket.Listener

	failing admission.Notice // to accept
	full    admission.Notice // a connection was refused

	mu          sync.Mutex
	connections map[*connection]struct{}
	closing     bool
	empty       chan struct{} // closed when closing and no connection is left
}

func newPort(n *node, number uint16, socket *socket.Listener) *port {
	return &port{
		node: n, number: number, socket: socket,
		connections: map[*connection]struct{}{}, empty: make(chan struct{}),
	}
}

// listen makes all loops accept connections until the port is closed.
func (p *port) listen() {
	for lane, loop := range p.node.engine.loops {
		loop.Post(func() { p.listenOn(loop, lane) })
	}
}

// listenOn makes the calling loop accept connections.
func (p *port) listenOn(loop *socket.Loop, lane int) {
	err := loop.WatchListener(p.socket, func() { p.accept(loop, lane) })
	if err != nil && !errors.Is(err, net.ErrClosed) {
		p.retryLater(err, loop, lane)
	}
}

// accept accepts waiting clients. If there are more than acceptBatch, the kernel reports
// the rest to this loop or to another.
func (p *port) accept(loop *socket.Loop, lane int) {
	for range acceptBatch {
		conn, err := p.socket.Accept()
		switch {
		case err == nil:
			p.serve(conn, loop, lane)
		case errors.Is(err, unix.EAGAIN), errors.Is(err, net.ErrClosed):
			return
		default: // such as one for want of file descriptors: wait until some are closed
			loop.UnwatchListener(p.socket)
			p.retryLater(err, loop, lane)
			return
		}
	}
}

// retryLater logs an error of accepting and makes the loop try again.
func (p *port) retryLater(err error, loop *socket.Loop, lane int) {
	if times, due := p.failing.Due(time.Now()); due {
		p.node.log.Warn("accept", "port", p.number, "error", err, "times", times)
	}
	p.node.engine.tasks.Go(func() {
		if wait(p.node.engine.ctx, time.After(portRetry)) {
			loop.Post(func() { p.listenOn(loop, lane) })
		}
	})
}

// serve serves a client on the loop. A client that uses TLS is served on a goroutine, because
// the standard library handles TLS, and so is one whose connection is passed on as it is.
func (p *port) serve(conn *socket.Conn, loop *socket.Loop, lane int) {
	l := p.listener()
	var c *connection
	secure, opaque := l != nil && l.tls != nil, l != nil && l.conf.Opaque
	if !p.admit(conn, secure) {
		_ = conn.Close()
		return
	}
	if secure {
		c = newConnection(p, conn, tls.Server(conn, l.tls.config), len(p.node.engine.loops))
		c.insecure = true
	} else {
		c = newConnection(p, conn, conn, lane)
	}
	c.opaque = opaque
	if !p.add(c) {
		p.release(c)
		_ = conn.Close()
		return
	}
	p.node.counts.lanes[lane%lanes].sums[newConnections].Add(1)
	if secure || opaque {
		p.node.engine.workers.serve(c)
		return
	}
	conn.Attach(loop)
	loop.Start(c)
}

// admit counts a client's connection. It returns false if there are too many.
func (p *port) admit(conn *socket.Conn, secure bool) bool {
	from := conn.RemoteAddrPort().Addr()
	if p.node.limiter.admit(from, secure) {
		return true
	}
	p.node.counts.lanes[0].sums[rejectedConnections].Add(1)
	if times, due := p.full.Due(time.Now()); due {
		p.node.log.Warn("too many connections: refused", "port", p.number, "client", from, "times", times)
	}
	return false
}

// release records that an admitted connection has ended.
func (p *port) release(c *connection) {
	if c.insecure {
		p.secured(c)
	}
	p.node.limiter.release(c.client.Addr())
}

// secured records that the connection's TLS handshake is over.
func (p *port) secured(c *connection) {
	c.insecure = false
	p.node.limiter.secured(c.client.Addr())
}

// listener returns the listener as it is configured now, or nil if it has just been
// removed.
func (p *port) listener() *listener { return (*p.node.listeners.Load())[p.number] }

// add adds an accepted connection. It returns false if the port is closing.
func (p *port) add(c *connection) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closing {
		return false
	}
	p.connections[c] = struct{}{}
	return true
}

// addStream adds a stream of a connection that the port has. It may be closing.
func (p *port) addStream(stream *connection) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.connections[stream] = struct{}{}
}

func (p *port) remove(c *connection) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.connections, c)
	if !c.stream {
		p.release(c)
	}
	if p.closing && len(p.connections) == 0 {
		close(p.empty)
	}
}

// open returns the number of open connections and streams.
func (p *port) open() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.connections)
}

// close frees the port at once. It closes idle connections now, others after their
// response, and all that are left after the timeout. Then it returns.
func (p *port) close(timeout <-chan time.Time) {
	_ = p.socket.Close()
	p.mu.Lock()
	p.closing = true
	if len(p.connections) == 0 {
		close(p.empty)
	}
	p.mu.Unlock()
	p.each(func(c *connection) { c.drain() })
	select {
	case <-p.empty:
		return
	case <-timeout:
	case <-p.node.engine.ctx.Done():
	}
	p.each(func(c *connection) { c.interrupt(portClosed) })
	<-p.empty
}

// each calls do for each connection.
func (p *port) each(do func(*connection)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.connections {
		do(c)
	}
}
