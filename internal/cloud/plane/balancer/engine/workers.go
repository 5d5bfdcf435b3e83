//go:build linux

package engine

import (
	"context"
	"sync"
)

// workers are goroutines that serve one connection after another. A new goroutine
// would have to grow its stack again for each short connection.
type workers struct {
	ctx   context.Context //nolint:containedctx // ends idle workers
	tasks *sync.WaitGroup
	next  chan *connection
	idle  chan struct{} // holds one for each idle worker
}

func newWorkers(ctx context.Context, tasks *sync.WaitGroup) *workers {
	return &workers{ctx: ctx, tasks: tasks, next: make(chan *connection), idle: make(chan struct{}, maxIdleWorkers)}
}

// serve serves the connection on an idle worker or a new one.
func (w *workers) serve(c *connection) {
	select {
	case w.next <- c:
	default:
		w.tasks.Go(func() { w.work(c) })
	}
}

func (w *workers) work(c *connection) {
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
