//go:build linux

package egress

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"slices"
	"sync"
	"syscall"
	"time"
)

// Client starts, configures and follows the egress process, which outlives it.
type Client struct {
	Dir     string   // private folder of the control socket
	Command []string // command line that runs process.Run; the client appends Dir
	Output  *os.File // the process's log; nil: none
	Log     *slog.Logger

	mu      sync.Mutex
	stopped bool
}

// Times of Client.Serve.
const (
	minRestartWait = time.Second      // before another process follows one that has ended
	maxRestartWait = 30 * time.Second // the same, if several ended soon
	lookupPeriod   = 30 * time.Second // between searches for the addresses of places
)

// Adopt returns the listener of the running process, or nil if there is none. It ends a
// process of another version.
func (c *Client) Adopt(ctx context.Context) (net.Listener, error) {
	conn, answer, file, err := c.ask(ctx, Request{Op: OpAbout}, nil)
	if isAbsent(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	_ = conn.Close()
	if answer.Protocol != Protocol {
		c.Log.Info("replacing the egress process of another version", "pid", answer.PID)
		if file != nil {
			_ = file.Close()
		}
		return nil, c.Stop(ctx)
	}
	if file == nil {
		return nil, nil
	}
	defer func() { _ = file.Close() }()
	listener, err := net.FileListener(file)
	if err != nil {
		return nil, fmt.Errorf("adopt the egress process's listener: %w", err)
	}
	return listener, nil
}

// Serve makes the process carry the listener's connections until ctx ends, or Stop stops it.
// If the process ends otherwise, another one takes its place. The process goes on after
// Serve.
func (c *Client) Serve(ctx context.Context, listener *net.TCPListener, reach Reach) error {
	c.mu.Lock()
	c.stopped = false
	c.mu.Unlock()
	file, err := listener.File()
	if err != nil {
		return fmt.Errorf("hand over the egress listener: %w", err)
	}
	defer func() { _ = file.Close() }()
	known := places{}
	reach.Found = known.find(ctx, reach.Places)
	for wait := minRestartWait; ; {
		start := time.Now()
		err := c.follow(ctx, file, &reach, known)
		c.mu.Lock()
		stopped := c.stopped
		c.mu.Unlock()
		if ctx.Err() != nil || stopped {
			return nil
		}
		c.Log.Error("the egress process ended; start another", "error", err)
		if time.Since(start) > maxRestartWait {
			wait = minRestartWait
		}
		timer := time.NewTimer(wait)
		wait = min(2*wait, maxRestartWait)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
}

// follow makes a process serve, and tells it where places are, until it ends or ctx does.
func (c *Client) follow(ctx context.Context, listener *os.File, reach *Reach, known places) error {
	request := Request{Op: OpServe, Reach: *reach}
	conn, answer, _, err := c.ask(ctx, request, listener)
	if isAbsent(err) {
		if err := c.spawn(); err != nil {
			return fmt.Errorf("start the egress process: %w", err)
		}
		conn, answer, _, err = c.ask(ctx, request, listener)
	}
	if err != nil {
		return err
	}
	c.Log.Info("the egress process serves", "pid", answer.PID)
	ended := make(chan error, 1)
	var following sync.WaitGroup
	following.Go(func() {
		for {
			if _, err := Receive(conn, &Answer{}); err != nil {
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
		if err := Send(conn, Request{Op: OpServe, Reach: *reach}, nil); err != nil {
			return err
		}
	}
}

// ask sends a request to the process and returns its answer. The caller closes the connection
// and the file.
func (c *Client) ask(
	ctx context.Context, request Request, file *os.File,
) (conn *net.UnixConn, answer Answer, received *os.File, err error) {
	dialed, err := (&net.Dialer{}).DialContext(ctx, "unixpacket", SocketPath(c.Dir))
	if err != nil {
		return nil, answer, nil, fmt.Errorf("call the egress process: %w", err)
	}
	conn = dialed.(*net.UnixConn)
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if err = Send(conn, request, file); err == nil {
		received, err = Receive(conn, &answer)
	}
	if err == nil && answer.Error != "" {
		err = errors.New(answer.Error)
	}
	if err != nil {
		if received != nil {
			_ = received.Close()
		}
		return nil, answer, nil, errors.Join(fmt.Errorf("call the egress process: %w", err), conn.Close())
	}
	return conn, answer, received, nil
}

// isAbsent reports whether a call failed because no process runs.
func isAbsent(err error) bool {
	return errors.Is(err, syscall.ENOENT) || errors.Is(err, syscall.ECONNREFUSED)
}

// Running reports whether an egress process runs.
func (c *Client) Running(ctx context.Context) bool {
	conn, _, file, err := c.ask(ctx, Request{Op: OpAbout}, nil)
	if err != nil {
		return false
	}
	if file != nil {
		_ = file.Close()
	}
	_ = conn.Close()
	return true
}

// Stop ends the process, with all connections, and returns when it has ended. If none runs,
// Stop returns nil.
func (c *Client) Stop(ctx context.Context) error {
	c.mu.Lock()
	c.stopped = true
	c.mu.Unlock()
	conn, _, _, err := c.ask(ctx, Request{Op: OpStop}, nil)
	if isAbsent(err) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	_, _ = Receive(conn, &Answer{}) // the process cuts the connection when it ends
	return ctx.Err()
}

// spawn starts a process, which serves the control socket once it runs.
func (c *Client) spawn() error {
	if err := errors.Join(os.MkdirAll(c.Dir, 0o700), os.MkdirAll(RootPath(c.Dir), 0o755)); err != nil {
		return err
	}
	path := SocketPath(c.Dir)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	listener, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: path, Net: "unixpacket"})
	if err != nil {
		return err
	}
	listener.SetUnlinkOnClose(false)
	defer func() { _ = listener.Close() }()
	if err := os.Chmod(path, 0o600); err != nil {
		return err
	}
	control, err := listener.File()
	if err != nil {
		return err
	}
	defer func() { _ = control.Close() }()
	args := append(c.Command[1:len(c.Command):len(c.Command)], c.Dir)
	cmd := exec.Command(c.Command[0], args...)
	cmd.Env, cmd.Dir, cmd.ExtraFiles = []string{}, "/", []*os.File{control}
	if c.Output != nil {
		cmd.Stderr = c.Output
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if os.Geteuid() == 0 {
		cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWNS // so that it can have a root directory of its own
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() { _ = cmd.Wait() }() // reaps the process if it exits while this one runs
	c.Log.Info("started the egress process", "pid", cmd.Process.Pid)
	return nil
}
