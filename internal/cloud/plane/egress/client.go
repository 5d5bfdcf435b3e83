//go:build linux

package egress

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/companion"
)

// Client starts, configures and follows the egress process, which outlives it.
type Client struct {
	process *companion.Process
	log     *slog.Logger
}

// lookupPeriod is the time between searches for the addresses of places.
const lookupPeriod = 30 * time.Second

// NewClient returns a client of the process in a private folder. command is a command line
// that calls process.Run, and output the process's log, nil for none.
func NewClient(dir string, command []string, output *os.File, log *slog.Logger) *Client {
	return &Client{
		process: &companion.Process{Name: "egress", Dir: dir, Command: command, Output: output, Log: log},
		log:     log,
	}
}

// Dir returns the process's folder.
func (c *Client) Dir() string { return c.process.Dir }

// Adopt returns the listeners of the running process, if there are any. It ends a process of
// another version.
func (c *Client) Adopt(ctx context.Context) ([]net.Listener, error) {
	conn, answer, files, err := c.ask(ctx, Request{Op: OpAbout})
	if companion.Absent(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	_ = conn.Close()
	defer companion.CloseAll(files)
	if answer.Protocol != Protocol {
		c.log.Info("replacing the egress process of another version", "pid", answer.PID)
		return nil, c.Stop(ctx)
	}
	var listeners []net.Listener
	for _, file := range files {
		listener, err := net.FileListener(file)
		if err != nil {
			for _, opened := range listeners {
				_ = opened.Close()
			}
			return nil, fmt.Errorf("adopt a listener of the egress process: %w", err)
		}
		listeners = append(listeners, listener)
	}
	return listeners, nil
}

// Serve makes the process carry the listeners' connections until ctx ends, or Stop stops it. The
// listeners are of different families of addresses. If the process ends otherwise, another one
// takes its place. The process goes on after Serve.
func (c *Client) Serve(ctx context.Context, listeners []*net.TCPListener, reach Reach) error {
	var files []*os.File
	defer func() { companion.CloseAll(files) }()
	for _, listener := range listeners {
		file, err := listener.File()
		if err != nil {
			return fmt.Errorf("hand over an egress listener: %w", err)
		}
		files = append(files, file)
	}
	known := places{}
	reach.Found = known.find(ctx, reach.Places)
	c.process.Keep(ctx, func() error { return c.follow(ctx, files, &reach, known) })
	return nil
}

// follow makes a process serve, and tells it where places are, until it ends or ctx does.
func (c *Client) follow(ctx context.Context, listeners []*os.File, reach *Reach, known places) error {
	request := Request{Op: OpServe, Reach: *reach}
	conn, answer, _, err := c.ask(ctx, request, listeners...)
	if companion.Absent(err) {
		if err := c.process.Start(); err != nil {
			return err
		}
		conn, answer, _, err = c.ask(ctx, request, listeners...)
	}
	if err != nil {
		return err
	}
	c.log.Info("the egress process serves", "pid", answer.PID)
	ended := make(chan error, 1)
	var following sync.WaitGroup
	following.Go(func() {
		for {
			if _, err := companion.Receive(conn, &Answer{}); err != nil {
				ended <- err
				return
			}
		}
	})
	defer following.Wait()
	defer func() { _ = conn.Close() }()
	tick := time.NewTicker(lookupPeriod)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-ended:
			return err
		case <-tick.C:
		}
		found := known.find(ctx, reach.Places)
		if slices.Equal(found, reach.Found) {
			continue
		}
		reach.Found = found
		if err := companion.Send(conn, Request{Op: OpServe, Reach: *reach}); err != nil {
			return err
		}
	}
}

// ask sends a request to the process and returns its answer. The caller closes the connection
// and the files.
func (c *Client) ask(
	ctx context.Context, request Request, files ...*os.File,
) (conn *net.UnixConn, answer Answer, received []*os.File, err error) {
	conn, received, err = c.process.Ask(ctx, request, &answer, files...)
	if err != nil || answer.Error == "" {
		return conn, answer, received, err
	}
	companion.CloseAll(received)
	return nil, answer, nil, errors.Join(errors.New("the egress process: "+answer.Error), conn.Close())
}

// Stop ends the process, with all connections, and returns when it has ended. If none runs,
// Stop returns nil.
func (c *Client) Stop(ctx context.Context) error {
	c.process.Stopping()
	conn, _, _, err := c.ask(ctx, Request{Op: OpStop})
	if companion.Absent(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return companion.AwaitEnd(ctx, conn)
}
