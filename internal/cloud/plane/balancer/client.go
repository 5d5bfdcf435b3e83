//go:build linux

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
	"strings"
	"sync"
	"syscall"
)

// Client starts, configures and follows the balancer process. Set the fields
// before the first call, and call Close at the end. The process outlives the client.
type Client struct {
	Dir        string   // private folder of the control sockets, lock and log
	Command    []string // command line that runs process.Run; Start appends arguments
	Env        []string // environment of the process
	Namespaces string   // folder of the nodes' network namespaces; empty: anywhere
	Logs       string   // folder of the load balancers' access logs; empty: there are none
	Log        *slog.Logger

	once     sync.Once // sets http
	http     *http.Client
	starting sync.Mutex
}

// The hosts of URLs name the process that a request is for.
const (
	keeperHost   = "keeper"
	balancerHost = "balancer"
)

// client returns the HTTP client of the control sockets.
func (c *Client) client() *http.Client {
	c.once.Do(func() {
		c.http = &http.Client{Transport: &http.Transport{
			DisableKeepAlives: true, // the next request may be for the next process
			DialContext: func(ctx context.Context, _, at string) (net.Conn, error) {
				path := SocketPath(c.Dir)
				if host, _, _ := net.SplitHostPort(at); host == keeperHost {
					path = KeeperSocketPath(c.Dir)
				}
				return (&net.Dialer{}).DialContext(ctx, "unix", path)
			},
		}}
	})
	return c.http
}

// call sends a request to the host's process and turns an error response into an error.
func (c *Client) call(ctx context.Context, host, method, path string, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://"+host+path, body)
	if err != nil {
		return nil, fmt.Errorf("call the balancer process: %w", err)
	}
	response, err := c.client().Do(req)
	if err != nil {
		return nil, fmt.Errorf("call the balancer process: %w", err)
	}
	if response.StatusCode >= http.StatusMultipleChoices {
		defer func() { _ = response.Body.Close() }()
		text, _ := io.ReadAll(io.LimitReader(response.Body, 4096))
		return nil, fmt.Errorf("call the balancer process: %s: %s", response.Status, strings.TrimSpace(string(text)))
	}
	return response, nil
}

// About asks the keeper what runs.
func (c *Client) About(ctx context.Context) (About, error) {
	var a About
	response, err := c.call(ctx, keeperHost, http.MethodGet, "/about", nil)
	if err != nil {
		return a, err
	}
	defer func() { _ = response.Body.Close() }()
	err = json.NewDecoder(response.Body).Decode(&a)
	return a, err
}

// Running reports whether a balancer process runs.
func (c *Client) Running(ctx context.Context) bool {
	_, err := c.About(ctx)
	return err == nil
}

// Set replaces the balancer's configuration and returns once it is applied. It
// starts the process if none runs.
func (c *Client) Set(ctx context.Context, config Config) error {
	body, err := json.Marshal(config)
	if err != nil {
		return fmt.Errorf("encode the balancer's configuration: %w", err)
	}
	if err := c.Start(ctx); err != nil {
		return err
	}
	response, err := c.call(ctx, balancerHost, http.MethodPut, "/config", bytes.NewReader(body))
	if err != nil {
		return err
	}
	return response.Body.Close()
}

// Follow calls each with the balancer's status, now and after every change, until
// ctx ends or the process exits. It always returns an error.
func (c *Client) Follow(ctx context.Context, each func(Status)) error {
	response, err := c.call(ctx, balancerHost, http.MethodGet, "/status", nil)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	for d := json.NewDecoder(response.Body); ; {
		var s Status
		if err := d.Decode(&s); err != nil {
			return fmt.Errorf("follow the balancer: %w", err)
		}
		each(s)
	}
}

// Counters returns the balancer's counts.
func (c *Client) Counters(ctx context.Context) (counters Counters, err error) {
	err = c.read(ctx, "/metrics", &counters)
	return counters, err
}

// Targets returns the counts of all targets, in a fixed order.
func (c *Client) Targets(ctx context.Context) (targets []TargetCounters, err error) {
	err = c.read(ctx, "/targets", &targets)
	return targets, err
}

// read reads counts of the balancer process.
func (c *Client) read(ctx context.Context, path string, into any) error {
	response, err := c.call(ctx, balancerHost, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		return fmt.Errorf("read the balancer's counters: %w", err)
	}
	return nil
}

// Stop ends the balancer's processes and returns when all its ports are closed. If none
// runs, Stop returns nil.
func (c *Client) Stop(ctx context.Context) error {
	err := c.stopKeeper(ctx)
	if err != nil {
		return err
	}
	// A process whose keeper was killed retires when nobody takes over what it has.
	if orphan, err := net.Dial("unixpacket", OrphanSocketPath(c.Dir)); err == nil {
		_ = orphan.Close()
	}
	return nil
}

// stopKeeper ends the keeper and its processes.
func (c *Client) stopKeeper(ctx context.Context) error {
	err := c.stop(ctx, keeperHost)
	if _, missing := os.Stat(OrphanSocketPath(c.Dir)); notRunning(err) && missing != nil {
		// Perhaps a process of protocol 3, which had no keeper.
		err = c.stop(ctx, balancerHost)
	}
	if notRunning(err) {
		return nil
	}
	return err
}

// notRunning reports whether the error means that no process has the control socket.
func notRunning(err error) bool {
	return errors.Is(err, syscall.ENOENT) || errors.Is(err, syscall.ECONNREFUSED)
}

func (c *Client) stop(ctx context.Context, host string) error {
	c.Close() // a connection to a process that was killed would be used, and fail
	response, err := c.call(ctx, host, http.MethodPost, "/stop", nil)
	if err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, response.Body) // the process cuts the connection when it has stopped
	_ = response.Body.Close()
	return ctx.Err()
}

// Close closes the client's connections. The process keeps running.
func (c *Client) Close() {
	c.client().CloseIdleConnections()
}
