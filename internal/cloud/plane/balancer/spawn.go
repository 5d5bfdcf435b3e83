//go:build linux

package balancer

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// readyLine is what the process prints once it serves the control socket.
const readyLine = "ready\n"

// Start adopts the running balancer process, or starts one. It replaces a process
// that uses another version of the protocol.
func (c *Client) Start(ctx context.Context) error {
	c.starting.Lock()
	defer c.starting.Unlock()
	running, err := c.About(ctx)
	switch {
	case err == nil && running.Protocol == Protocol:
		c.Log.Debug("the balancer process runs", "pid", running.PID)
		return nil
	case err == nil:
		c.Log.Info("replacing the balancer process of another version", "pid", running.PID)
		if err := c.Stop(ctx); err != nil {
			return err
		}
	case ctx.Err() != nil:
		return ctx.Err()
	}
	if err := c.spawn(ctx); err != nil {
		return fmt.Errorf("start the balancer process: %w", err)
	}
	return nil
}

// spawn starts a process and waits until it is ready.
func (c *Client) spawn(ctx context.Context) error {
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return err
	}
	log, err := os.OpenFile(LogPath(c.Dir), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	ready, stdout, err := os.Pipe()
	if err != nil {
		return err
	}
	defer func() { _ = ready.Close() }()
	args := append(c.Command[1:len(c.Command):len(c.Command)], c.Dir)
	cmd := exec.Command(c.Command[0], args...)           //nolint:gosec,noctx // our own program; it must outlive ctx
	cmd.Env, cmd.Dir = append([]string{}, c.Env...), "/" // never nil, which would be the daemon's environment
	cmd.Stdout, cmd.Stderr = stdout, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = cmd.Start()
	_ = stdout.Close()
	if err != nil {
		return err
	}
	go func() { _ = cmd.Wait() }() // reaps the process if it exits while this one runs
	stop := context.AfterFunc(ctx, func() { _ = ready.Close() })
	defer stop()
	line, err := io.ReadAll(io.LimitReader(ready, int64(len(readyLine))))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil || strings.TrimSpace(string(line)) != strings.TrimSpace(readyLine) {
		return fmt.Errorf("it exited at once, see %s", LogPath(c.Dir))
	}
	c.Log.Info("started the balancer process", "pid", cmd.Process.Pid)
	return nil
}
