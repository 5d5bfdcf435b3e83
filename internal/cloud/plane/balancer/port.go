package balancer

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"time"
)

// port is a port at which a node listens, and the connections that came in
// there.
type port struct {
	node     *node
	number   uint16
	listener *listener

	mu      sync.Mutex
	open    map[*connection]struct{}
	closing bool
	empty   chan struct{} // closed when closing and no connection is left
}

func newPort(n *node, number uint16, listener *listener) *port {
	return &port{node: n, number: number, listener: listener, open: map[*connection]struct{}{}, empty: make(chan struct{})}
}

// accept serves connections until the listener is closed.
func (p *port) accept() {
	for {
		a, err := p.listener.accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // out of file descriptors, say: let some be closed
			p.node.log.Warn("accept", "port", p.number, "error", err)
			if !wait(p.node.owner.ctx, time.After(mendEvery), nil) {
				return
			}
			continue
		}
		c := p.connection(a)
		if !p.enter(c) {
			_ = a.Close()
			continue
		}
		p.node.counts.lanes[0].sums[newConnections].Add(1)
		p.node.owner.crew.serve(c)
	}
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

// connection is what a client's connection becomes that has just come in.
func (p *port) connection(a *accepted) *connection {
	if plan := (*p.node.table.Load())[p.number]; plan != nil && plan.secure != nil {
		return newConnection(p, a, tls.Server(a, plan.secure.config))
	}
	return newConnection(p, a, a)
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
