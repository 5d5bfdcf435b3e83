package balancer

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/balancer/socket"
)

// port is a port at which a node listens, and the connections that came in
// there.
type port struct {
	node     *node
	number   uint16
	listener *socket.Listener

	mu      sync.Mutex
	open    map[*connection]struct{}
	closing bool
	empty   chan struct{} // closed when closing and no connection is left
}

func newPort(n *node, number uint16, listener *socket.Listener) *port {
	return &port{
		node:     n,
		number:   number,
		listener: listener,
		open:     map[*connection]struct{}{},
		empty:    make(chan struct{}),
	}
}

// listen has the loops serve connections until the listener is closed.
func (p *port) listen() {
	for lane, loop := range p.node.owner.loops {
		loop.Post(func() { p.attend(loop, lane) })
	}
}

// attend has a loop do so.
func (p *port) attend(loop *socket.Loop, lane int) {
	err := loop.WatchListener(p.listener, func() { p.accept(loop, lane) })
	if err != nil && !errors.Is(err, net.ErrClosed) {
		p.complain(err, loop, lane)
	}
}

// atOnce is how many clients a loop takes in before it looks after the others, and
// other loops have their turn. Each wait for events costs as much as two clients that
// are found without.
const atOnce = 8

// accept takes in clients that wait. If there are more, the loop hears of them again, or
// another loop does.
func (p *port) accept(loop *socket.Loop, lane int) {
	for range atOnce {
		conn, err := p.listener.Accept()
		switch {
		case err == nil:
			p.welcome(conn, loop, lane)
		case errors.Is(err, unix.EAGAIN), errors.Is(err, net.ErrClosed):
			return
		default: // out of file descriptors, say: let some be closed
			loop.UnwatchListener(p.listener)
			p.complain(err, loop, lane)
			return
		}
	}
}

// complain tells what went wrong and has it tried again.
func (p *port) complain(err error, loop *socket.Loop, lane int) {
	p.node.log.Warn("accept", "port", p.number, "error", err)
	p.node.owner.tasks.Go(func() {
		if wait(p.node.owner.ctx, time.After(mendEvery), nil) {
			loop.Post(func() { p.attend(loop, lane) })
		}
	})
}

// welcome has a client served: by the loop, or by a goroutine if TLS is spoken,
// which is left to the standard library.
func (p *port) welcome(conn *socket.Conn, loop *socket.Loop, lane int) {
	plan := (*p.node.table.Load())[p.number]
	var c *connection
	secure := plan != nil && plan.secure != nil
	if secure {
		c = newConnection(p, conn, tls.Server(conn, plan.secure.config), len(p.node.owner.loops))
	} else {
		c = newConnection(p, conn, conn, lane)
	}
	if !p.enter(c) {
		_ = conn.Close()
		return
	}
	p.node.counts.lanes[lane%lanes].sums[newConnections].Add(1)
	if secure {
		p.node.owner.crew.serve(c)
		return
	}
	conn.Attach(loop)
	loop.Start(c)
}

func (p *port) enter(c *connection) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closing {
		return false
	}
	p.open[c] = struct{}{}
	return true
}

// adopt takes in a stream of a connection that has entered.
func (p *port) adopt(stream *connection) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open[stream] = struct{}{}
}

func (p *port) leave(c *connection) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, c)
	if p.closing && len(p.open) == 0 {
		close(p.empty)
	}
}

// close frees the port at once. Connections without a request end now, others
// after their answer, and all of them when the time is up; then it returns.
func (p *port) close(within <-chan time.Time) {
	_ = p.listener.Close()
	p.mu.Lock()
	p.closing = true
	if len(p.open) == 0 {
		close(p.empty)
	}
	p.mu.Unlock()
	p.each(func(c *connection) { c.retire() })
	select {
	case <-p.empty:
		return
	case <-within:
	case <-p.node.owner.ctx.Done():
	}
	p.each(func(c *connection) { c.interrupt(broken) })
	<-p.empty
}

// each calls do for the open connections.
func (p *port) each(do func(*connection)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.open {
		do(c)
	}
}

// settings are the listener as it is wanted now; nil: it has just been removed.
func (p *port) settings() *Listener {
	if plan := (*p.node.table.Load())[p.number]; plan != nil {
		return plan.listener
	}
	return nil
}

// crew are goroutines that serve connections, one after the other: a new one
// would have to grow its stack again for every short connection.
type crew struct {
	ctx   context.Context //nolint:containedctx // ends those that have nothing to do
	tasks *sync.WaitGroup
	next  chan *connection
	idle  chan struct{} // holds one for each that waits
}

// maxIdleCrew bounds how many wait for a connection.
const maxIdleCrew = 256

func newCrew(ctx context.Context, tasks *sync.WaitGroup) *crew {
	return &crew{ctx: ctx, tasks: tasks, next: make(chan *connection), idle: make(chan struct{}, maxIdleCrew)}
}

func (w *crew) serve(c *connection) {
	select {
	case w.next <- c:
	default:
		w.tasks.Go(func() { w.work(c) })
	}
}

func (w *crew) work(c *connection) {
	for {
		c.serve()
		select {
		case w.idle <- struct{}{}:
		default:
			return
		}
		select {
		case c = <-w.next:
			<-w.idle
		case <-w.ctx.Done():
			return
		}
	}
}
