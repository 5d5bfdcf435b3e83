// Package contest starts Aloft's load balancer, nginx and HAProxy over backends
// of their own kind and with the same settings, for benchmarks that compare them.
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

// Host is the name that requests carry.
const Host = "bench.us-east-1.elb.localhost"

// Settings are what all proxies have in common, as far as each knows it.
type Settings struct {
	Dir      string // for what the proxy keeps
	Port     int
	Workers  int // of nginx and HAProxy
	Backends []*Backend

	Interval  time.Duration // of health checks
	Timeout   time.Duration // of one check
	Threshold int           // checks in a row that change the opinion, both ways
	// Retries leaves to nginx and HAProxy how often they try a request elsewhere, and
	// to nginx when it takes a server out; else a request is tried once, as by an
	// Application Load Balancer.
	Retries bool
}

// Proxy is one of the contestants.
type Proxy struct {
	Name    string
	Address string
	PIDs    func() []int // of its processes
	// Drain takes the backend with that index out of the rotation as planned:
	// no new requests, while those under way go on.
	Drain func(ctx context.Context, backend int) error
	Stop  func()
	said  string // the file of what it has said
}

// Starter starts a contestant. What has to be stopped is returned with an error too.
type Starter func(context.Context, Settings) (*Proxy, error)

// Ready waits until the proxy answers from a backend.
func (p *Proxy) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.Address+checkPath, nil)
		if err != nil {
			return err
		}
		req.Host = Host
		answer, err := http.DefaultClient.Do(req)
		if err == nil {
			_ = answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return nil
			}
		}
		if ctx.Err() != nil {
			said, _ := os.ReadFile(p.said)
			return fmt.Errorf("%s does not answer: %w: %s", p.Name, err, said)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// StopProxies ends all.
func StopProxies(proxies []*Proxy) {
	for _, p := range proxies {
		p.Stop()
	}
}

// checkPath is what health checks ask for.
const checkPath = "/100"

// startPeer starts a program in the foreground with its configuration file.
func startPeer(
	ctx context.Context,
	name string,
	port int,
	conf, text string,
	command ...string,
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
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // one that is killed leaves its workers
	if err := cmd.Start(); err != nil {
		return nil, nil, fmt.Errorf("%w (make bench installs what it needs)", err)
	}
	return &Proxy{
		Name: name, Address: fmt.Sprintf("127.0.0.1:%d", port),
		PIDs: func() []int { return family(cmd.Process.Pid) },
		Stop: func() { stop(cmd) },
		said: log.Name(),
	}, cmd, nil
}

// stop asks, and insists when that does not help.
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

// family is a process and its children.
func family(pid int) []int {
	out := []int{pid}
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return out
	}
	for _, text := range strings.Fields(string(children)) {
		if child, err := strconv.Atoi(text); err == nil {
			out = append(out, family(child)...)
		}
	}
	return out
}

// processes are those whose last argument is the text.
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
