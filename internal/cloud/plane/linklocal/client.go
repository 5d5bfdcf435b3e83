//go:build linux

package linklocal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/companion"
)

// orderTimeout bounds the wait for the process's answer to an order.
const orderTimeout = 5 * time.Second

// Config configures a Client.
type Config struct {
	Dir      string   // private folder of the control socket
	Command  []string // command line that runs process.Run; the client appends Dir
	Output   *os.File // the process's log; nil: none
	Services Services
	Calls    int // that are answered at the same time
	Log      *slog.Logger
}

// Client starts the link-local process, gives it the sockets of places, and answers its calls. The
// process outlives it.
type Client struct {
	process *companion.Process
	cfg     Config
	changed chan struct{} // holds a value when places has changed

	mu     sync.Mutex
	places map[string]*served // by id
}

// served is a place whose sockets the client holds, so that they outlive the process.
type served struct {
	Place
	sockets *Sockets
	given   bool // to the running process
}

// NewClient returns a client.
func NewClient(cfg Config) *Client {
	return &Client{
		process: &companion.Process{
			Name: "linklocal", Dir: cfg.Dir, Command: cfg.Command, Output: cfg.Output, Log: cfg.Log,
			// It opens no sockets and needs no network.
			Unshare: syscall.CLONE_NEWNET,
		},
		cfg: cfg, changed: make(chan struct{}, 1), places: map[string]*served{},
	}
}

// Dir returns the process's folder.
func (c *Client) Dir() string { return c.process.Dir }

// Open makes the process serve a place. The sockets are those that a running process has, or else
// those that listen returns; they exist when Open returns. Those of the place's earlier form are
// closed before.
func (c *Client) Open(ctx context.Context, place Place, listen func() (*Sockets, error)) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if open, ok := c.places[place.ID]; ok {
		if open.Place == place {
			return nil
		}
		open.sockets.Close()
		delete(c.places, place.ID)
	}
	sockets, err := c.take(ctx, place)
	if err != nil {
		return err
	}
	if sockets == nil {
		if sockets, err = listen(); err != nil {
			return fmt.Errorf("listen for machines: %w", err)
		}
	}
	c.places[place.ID] = &served{Place: place, sockets: sockets}
	select {
	case c.changed <- struct{}{}:
	default: // a notification is pending
	}
	return nil
}

// take returns the sockets of a place that the running process serves, or nil. Afterwards it
// serves no other form of the place. A process of another version ends.
func (c *Client) take(ctx context.Context, place Place) (*Sockets, error) {
	report, files, err := c.order(ctx, Order{Op: OpTake, Place: place})
	defer companion.CloseAll(files)
	switch {
	case companion.Absent(err):
		return nil, nil
	case err != nil:
		return nil, err
	case report.Protocol != Protocol:
		c.cfg.Log.Info("replacing the link-local process of another version", "pid", report.PID)
		return nil, c.end(ctx)
	case len(files) == 0:
		return nil, nil
	}
	return OpenSockets(place, files)
}

// Close makes the process serve a place no longer, and closes its sockets.
func (c *Client) Close(ctx context.Context, id string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if open, ok := c.places[id]; ok {
		open.sockets.Close()
		delete(c.places, id)
	}
	_, _, err := c.order(ctx, Order{Op: OpClose, Place: Place{ID: id}})
	if companion.Absent(err) {
		return nil
	}
	return err
}

// Leave closes the client's own descriptors. The process serves on.
func (c *Client) Leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, open := range c.places {
		open.sockets.Close()
		delete(c.places, id)
	}
}

// Stop ends the process, with all connections, and returns when it has ended. If none runs,
// Stop returns nil.
func (c *Client) Stop(ctx context.Context) error {
	c.process.Stopping()
	return c.end(ctx)
}

func (c *Client) end(ctx context.Context) error {
	conn, _, err := c.process.Ask(ctx, Order{Op: OpStop}, &Report{})
	if companion.Absent(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return companion.AwaitEnd(ctx, conn)
}

// Serve answers the process's calls until ctx ends or Stop is called. If the process ends
// otherwise, another one takes its place. The process goes on after Serve: requests wait for the
// next one that serves it.
func (c *Client) Serve(ctx context.Context) {
	c.process.Keep(ctx, func() error { return c.follow(ctx) })
}

// follow gives a process the sockets and answers its calls until it ends or ctx does.
func (c *Client) follow(ctx context.Context) error {
	conn, err := c.attach(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	var serving sync.WaitGroup
	defer serving.Wait()
	defer func() { _ = conn.Close() }()
	defer cancel()
	ended := make(chan error, 1)
	serving.Go(func() {
		s := &server{Services: c.cfg.Services, log: c.cfg.Log, slots: make(chan struct{}, c.cfg.Calls)}
		ended <- s.serve(ctx, conn)
	})
	for {
		if err := c.give(ctx); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-ended:
			return err
		case <-c.changed:
		}
	}
}

// attach starts the process unless it runs, and returns the connection that its streams come
// over.
func (c *Client) attach(ctx context.Context) (*net.UnixConn, error) {
	for range attachAttempts {
		var report Report
		conn, _, err := c.process.Ask(ctx, Order{Op: OpServe}, &report)
		switch {
		case companion.Absent(err):
			err = c.process.Start()
		case err == nil && report.Protocol == Protocol:
			c.cfg.Log.Info("the link-local process serves", "pid", report.PID)
			c.mu.Lock()
			defer c.mu.Unlock()
			for _, v := range c.places {
				v.given = false
			}
			return conn, nil
		case err == nil:
			err = errors.Join(conn.Close(), c.end(ctx)) // it is of another version
		}
		if err != nil {
			return nil, err
		}
	}
	return nil, errors.New("the link-local process does not answer")
}

// attachAttempts are as many as it takes to end a process of another version, start one, and
// reach it.
const attachAttempts = 3

// give gives the process the sockets that it was not given yet.
func (c *Client) give(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, v := range c.places {
		if v.given {
			continue
		}
		files, err := v.sockets.Files()
		if err != nil {
			return err
		}
		_, _, err = c.order(ctx, Order{Op: OpOpen, Place: v.Place}, files...)
		companion.CloseAll(files)
		if err != nil {
			return err
		}
		v.given = true
	}
	return nil
}

// order sends an order and files, and returns the report and its files.
func (c *Client) order(ctx context.Context, order Order, files ...*os.File) (Report, []*os.File, error) {
	ctx, cancel := context.WithTimeout(ctx, orderTimeout)
	defer cancel()
	var report Report
	conn, received, err := c.process.Ask(ctx, order, &report, files...)
	if err != nil {
		return report, nil, err
	}
	if report.Error != "" {
		companion.CloseAll(received)
		received, err = nil, errors.New("the link-local process: "+report.Error)
	}
	return report, received, errors.Join(err, conn.Close())
}
