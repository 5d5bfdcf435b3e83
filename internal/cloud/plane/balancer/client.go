package balancer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
)

// Client is the daemon's hand on the balancer process. Fill the fields, call
// Start, and Close in the end. The process outlives it.
type Client struct {
	Dir     string   // private folder of the control socket, lock and log
	Command []string // program and arguments that end in RunProcess; the folder is added
	Env     []string // environment of the process
	Log     *slog.Logger

	once     sync.Once
	http     *http.Client
	starting sync.Mutex
}

func (c *Client) init() {
	c.once.Do(func() {
		c.http = &http.Client{Transport: &http.Transport{
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, "unix", socketPath(c.Dir))
			},
		}}
	})
}

// Start adopts the balancer process that runs, or starts one.
func (c *Client) Start(ctx context.Context) error {
	c.init()
	c.starting.Lock()
	defer c.starting.Unlock()
	running, err := c.about(ctx)
	switch {
	case err == nil && running.Protocol == protocol:
		c.Log.Debug("the load balancers run", "pid", running.PID)
		return nil
	case err == nil:
		c.Log.Info("replacing the balancer of another version", "pid", running.PID)
		if err := c.Stop(ctx); err != nil {
			return err
		}
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return c.spawn(ctx)
}

func (c *Client) spawn(ctx context.Context) error {
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return fmt.Errorf("start the balancer: %w", err)
	}
	log, err := os.OpenFile(logPath(c.Dir), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("start the balancer: %w", err)
	}
	defer func() { _ = log.Close() }()
	ready, theirs, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("start the balancer: %w", err)
	}
	defer func() { _ = ready.Close() }()
	args := append(c.Command[1:len(c.Command):len(c.Command)], c.Dir)
	cmd := exec.Command(c.Command[0], args...)           //nolint:gosec,noctx // our own program; it must outlive ctx
	cmd.Env, cmd.Dir = append([]string{}, c.Env...), "/" // never nil, which would be the daemon's environment
	cmd.Stdout, cmd.Stderr = theirs, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = cmd.Start()
	_ = theirs.Close()
	if err != nil {
		return fmt.Errorf("start the balancer: %w", err)
	}
	go func() { _ = cmd.Wait() }() // takes leave of it, should it end before this process does
	stop := context.AfterFunc(ctx, func() { _ = ready.Close() })
	defer stop()
	said, err := io.ReadAll(io.LimitReader(ready, int64(len("ready\n"))))
	if ctx.Err() != nil {
		return fmt.Errorf("wait for the balancer: %w", ctx.Err())
	}
	if err != nil || strings.TrimSpace(string(said)) != "ready" {
		return fmt.Errorf("start the balancer: it ended at once, see %s", logPath(c.Dir))
	}
	c.Log.Info("started the balancer", "pid", cmd.Process.Pid)
	return nil
}

func (c *Client) call(ctx context.Context, method, path string, body io.Reader) (*http.Response, error) {
	c.init()
	req, err := http.NewRequestWithContext(ctx, method, "http://balancer"+path, body)
	if err != nil {
		return nil, fmt.Errorf("ask the balancer: %w", err)
	}
	answer, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask the balancer: %w", err)
	}
	if answer.StatusCode >= http.StatusMultipleChoices {
		defer func() { _ = answer.Body.Close() }()
		text, _ := io.ReadAll(io.LimitReader(answer.Body, 4096))
		return nil, fmt.Errorf("ask the balancer: %s: %s", answer.Status, strings.TrimSpace(string(text)))
	}
	return answer, nil
}

func (c *Client) about(ctx context.Context) (about, error) {
	var a about
	answer, err := c.call(ctx, http.MethodGet, "/about", nil)
	if err != nil {
		return a, err
	}
	defer func() { _ = answer.Body.Close() }()
	return a, json.NewDecoder(answer.Body).Decode(&a)
}

// Running tells whether there is a balancer process.
func (c *Client) Running(ctx context.Context) bool {
	_, err := c.about(ctx)
	return err == nil
}

// Set makes the balancer do what the configuration says, whole, and returns
// when it has been applied. A balancer that has died is started again.
func (c *Client) Set(ctx context.Context, config Config) error {
	body, err := json.Marshal(config)
	if err != nil {
		return fmt.Errorf("write the balancer's configuration: %w", err)
	}
	if err := c.Start(ctx); err != nil {
		return err
	}
	answer, err := c.call(ctx, http.MethodPut, "/config", bytes.NewReader(body))
	if err != nil {
		return err
	}
	return answer.Body.Close()
}

// Follow calls each with the balancer's status, now and after every change,
// until ctx ends or the balancer does.
func (c *Client) Follow(ctx context.Context, each func(Status)) error {
	answer, err := c.call(ctx, http.MethodGet, "/status", nil)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	for d := json.NewDecoder(answer.Body); ; {
		var s Status
		if err := d.Decode(&s); err != nil {
			return fmt.Errorf("follow the balancer: %w", err)
		}
		each(s)
	}
}

// Counters asks the balancer what it has counted.
func (c *Client) Counters(ctx context.Context) (Counters, error) {
	var counters Counters
	answer, err := c.call(ctx, http.MethodGet, "/metrics", nil)
	if err != nil {
		return counters, err
	}
	defer func() { _ = answer.Body.Close() }()
	if err := json.NewDecoder(answer.Body).Decode(&counters); err != nil {
		return counters, fmt.Errorf("read what the balancer has counted: %w", err)
	}
	return counters, nil
}

// Stop ends the balancer process and returns when all its ports are closed. It
// is no error when there is none.
func (c *Client) Stop(ctx context.Context) error {
	answer, err := c.call(ctx, http.MethodPost, "/stop", nil)
	if errors.Is(err, syscall.ENOENT) || errors.Is(err, syscall.ECONNREFUSED) {
		return nil
	}
	if err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, answer.Body) // ends, rudely, when the process is done
	_ = answer.Body.Close()
	return ctx.Err()
}

// Close lets go of the process, which goes on.
func (c *Client) Close() {
	c.init()
	c.http.CloseIdleConnections()
}
