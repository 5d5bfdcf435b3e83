//go:build linux

// Package contest starts Aloft's load balancer, nginx and HAProxy with the same
// settings, and backends for them, for benchmarks that compare the three.
package contest

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Host is the Host header of requests.
const Host = "bench.us-east-1.elb.localhost"

// Settings are the settings that all proxies share, as far as each has them.
type Settings struct {
	Dir      string // of the proxy's files
	Port     int
	Workers  int // of nginx and HAProxy
	Backends []*Backend

	Interval  time.Duration // of health checks
	Timeout   time.Duration // of one check
	Threshold int           // checks in a row after which a server counts as unhealthy, or healthy again
	// Retries leaves nginx and HAProxy their default retries, and nginx its default of when
	// it takes a server out. Otherwise they try a request once, like an Application Load
	// Balancer.
	Retries bool
}

// Proxy is a running proxy.
type Proxy struct {
	Name    string
	Address string
	PIDs    func() []int // of its processes
	// Drain takes the backend of that index out of rotation: it gets no new requests and
	// finishes those in flight.
	Drain func(ctx context.Context, backend int) error
	Stop  func()
	log   string // path of its log; empty: none
}

// Starter starts a proxy. With an error, it may return a proxy that must be stopped.
type Starter func(context.Context, Settings) (*Proxy, error)

// Ready waits until the proxy responds with a backend's response.
func (p *Proxy) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.Address+checkPath, nil)
		if err != nil {
			return err
		}
		req.Host = Host
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		if ctx.Err() != nil {
			log, _ := os.ReadFile(p.log)
			return fmt.Errorf("%s does not respond: %w: %s", p.Name, err, log)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// StopProxies stops the proxies.
func StopProxies(proxies []*Proxy) {
	for _, p := range proxies {
		p.Stop()
	}
}

// checkPath is the path of health checks.
const checkPath = "/100"

// startPeer writes a proxy's configuration file and starts the proxy in the foreground.
func startPeer(
	ctx context.Context, name string, port int, conf, text string, command ...string,
) (*Proxy, *exec.Cmd, error) {
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		return nil, nil, err
	}
	log, err := os.Create(conf + ".log")
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = log.Close() }()
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Stdout, cmd.Stderr = log, log
	// A signal that the proxy handles: if it were killed, its workers would stay.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	if err := cmd.Start(); err != nil {
		return nil, nil, fmt.Errorf("start %s: %w (make bench installs it)", name, err)
	}
	return &Proxy{
		Name: name, Address: fmt.Sprintf("127.0.0.1:%d", port),
		PIDs: func() []int { return withDescendants(cmd.Process.Pid) },
		Stop: func() { stop(cmd) },
		log:  log.Name(),
	}, cmd, nil
}

// stop interrupts the process, and kills it if that does not end it.
func stop(cmd *exec.Cmd) {
	_ = cmd.Process.Signal(os.Interrupt)
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		_ = cmd.Process.Kill()
		<-ended
	}
}

// withDescendants returns a process and its descendants.
func withDescendants(pid int) []int {
	out := []int{pid}
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return out
	}
	for _, text := range strings.Fields(string(children)) {
		if child, err := strconv.Atoi(text); err == nil {
			out = append(out, withDescendants(child)...)
		}
	}
	return out
}

// processes returns the processes whose last argument is the given one.
func processes(last string) []int {
	var out []int
	paths, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		args := strings.Split(strings.TrimSuffix(string(text), "\x00"), "\x00")
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil && args[len(args)-1] == last {
			out = append(out, pid)
		}
	}
	return out
}
