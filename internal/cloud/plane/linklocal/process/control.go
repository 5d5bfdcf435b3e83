//go:build linux

package process

import (
	"context"
	"log/slog"
	"net"
	"os"
	"sync"

	"aloft.dev/aloft/internal/cloud/plane/companion"
	"aloft.dev/aloft/internal/cloud/plane/linklocal"
)

// control answers the orders of daemons.
type control struct {
	daemon   *daemon
	services *services
	log      *slog.Logger

	mu      sync.Mutex
	places  map[string]*place
	serving sync.WaitGroup
}

// place is a place that the process serves.
type place struct {
	linklocal.Place
	sockets *linklocal.Sockets
	stop    context.CancelFunc
	ended   chan struct{}
}

func newControl(files int, log *slog.Logger) *control {
	d := newDaemon()
	return &control{daemon: d, services: newServices(files, d, log), log: log, places: map[string]*place{}}
}

// Wait waits for the end of all services.
func (c *control) Wait() { c.serving.Wait() }

// Answer answers the orders of a daemon until it leaves.
func (c *control) Answer(ctx context.Context, from *net.UnixConn) (stop bool) {
	defer c.daemon.detach(from)
	for {
		var order linklocal.Order
		files, err := companion.Receive(from, &order)
		if err != nil {
			return false
		}
		own, err := c.obey(ctx, order, files)
		companion.CloseAll(files)
		report := linklocal.Report{Protocol: linklocal.Protocol, PID: os.Getpid()}
		if err != nil {
			report.Error = err.Error()
		}
		err = companion.Send(from, report, own...)
		companion.CloseAll(own)
		switch {
		case order.Op == linklocal.OpStop:
			return true
		case err != nil:
			return false
		case order.Op == linklocal.OpServe:
			c.daemon.attach(from)
		}
	}
}

// obey carries out an order that concerns a place, and returns the files of the report.
func (c *control) obey(ctx context.Context, order linklocal.Order, files []*os.File) ([]*os.File, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	present, ok := c.places[order.Place.ID]
	same := ok && present.Place == order.Place
	switch order.Op {
	case linklocal.OpTake:
		if same {
			return present.sockets.Files()
		}
		c.close(order.Place.ID)
	case linklocal.OpClose:
		c.close(order.Place.ID)
	case linklocal.OpOpen:
		if same {
			return nil, nil // the daemon has taken these sockets from here
		}
		c.close(order.Place.ID)
		sockets, err := linklocal.OpenSockets(order.Place, files)
		if err != nil {
			return nil, err
		}
		c.open(ctx, order.Place, sockets)
	}
	return nil, nil
}

// open serves a place. The lock is held.
func (c *control) open(ctx context.Context, p linklocal.Place, sockets *linklocal.Sockets) {
	ctx, cancel := context.WithCancel(ctx)
	opened := &place{p, sockets, cancel, make(chan struct{})}
	c.places[p.ID] = opened
	c.serving.Go(func() {
		defer close(opened.ended)
		c.services.serve(ctx, p.ID, sockets)
	})
}

// close ends the services of a place. The lock is held.
func (c *control) close(id string) {
	if p, ok := c.places[id]; ok {
		p.stop()
		<-p.ended
		delete(c.places, id)
	}
}
