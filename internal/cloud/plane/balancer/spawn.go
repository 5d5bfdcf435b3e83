//go:build linux

package balancer

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"
)

// successionTimeout bounds how long another program may take to take over.
const successionTimeout = 20 * time.Second

// successionPoll is how often the client asks whether another program has taken over.
const successionPoll = 10 * time.Millisecond

// Start adopts the running balancer process, or starts one. If that is another program than
// this one would start, such as an earlier version, the new program takes over: no connection
// is refused and no request fails. If it uses another version of the protocol, Start stops it
// first.
func (c *Client) Start(ctx context.Context) error {
	c.starting.Lock()
	defer c.starting.Unlock()
	running, err := c.About(ctx)
	switch {
	case err == nil && running.Protocol == Protocol:
		return c.succeed(ctx, running)
	case ctx.Err() != nil:
		return ctx.Err()
	}
	if err := c.stopKeeper(ctx); err != nil {
		c.Log.Warn("stop the balancer process of another version", "error", err)
	}
	if err := c.spawn(ctx); err != nil {
		return fmt.Errorf("start the balancer process: %w", err)
	}
	return nil
}

// args returns the keeper's arguments.
func (c *Client) args() []string { return []string{c.Namespaces, c.Logs, c.Dir} }

// succeed lets the client's program take over from the running one if that is another.
func (c *Client) succeed(ctx context.Context, running About) error {
	program, err := Identify(c.Command[0])
	if err != nil || program == running.Program {
		c.Log.Debug("the balancer process runs", "pid", running.PID)
		return err
	}
	c.Log.Info("replacing the balancer process", "pid", running.PID)
	command := slices.Clone(c.Command)
	if command[0] == "/proc/self/exe" {
		command[0] = fmt.Sprintf("/proc/%d/exe", os.Getpid())
	}
	body, err := json.Marshal(Successor{Command: command, Args: c.args()})
	if err != nil {
		return fmt.Errorf("encode the balancer's successor: %w", err)
	}
	response, err := c.call(ctx, keeperHost, http.MethodPost, "/succeed", bytes.NewReader(body))
	if err != nil {
		return err
	}
	_ = response.Body.Close()
	ctx, cancel := context.WithTimeout(ctx, successionTimeout)
	defer cancel()
	for {
		if now, err := c.About(ctx); err == nil && now.Program == program {
			c.Log.Info("replaced the balancer process", "pid", now.PID)
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("another version of the balancer process does not take over, see %s: %w",
				logPath(c.Dir), ctx.Err())
		case <-time.After(successionPoll):
		}
	}
}

// spawn starts a process and waits until it is ready.
func (c *Client) spawn(ctx context.Context) error {
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return err
	}
	log, err := os.OpenFile(logPath(c.Dir), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	ready, stdout, err := os.Pipe()
	if err != nil {
		return err
	}
	defer func() { _ = ready.Close() }()
	args := append(c.Command[1:len(c.Command):len(c.Command)], c.args()...)
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
	line, err := io.ReadAll(io.LimitReader(ready, int64(len(ReadyLine))))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil || strings.TrimSpace(string(line)) != strings.TrimSpace(ReadyLine) {
		return fmt.Errorf("it exited at once, see %s", logPath(c.Dir))
	}
	c.Log.Info("started the balancer process", "pid", cmd.Process.Pid)
	return nil
}
