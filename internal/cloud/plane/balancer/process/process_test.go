package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/balancertest"
)

const processArgument = "run-the-balancer"

// TestMain lets the test binary be the balancer process.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == processArgument {
		os.Exit(Run(context.Background(), os.Args[2:], os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

func newClient(t *testing.T, dir string) *balancer.Client {
	t.Helper()
	c := &balancer.Client{Dir: dir, Command: []string{os.Args[0], processArgument}, Log: balancertest.Log(t)}
	t.Cleanup(c.Close)
	return c
}

func privateDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "balancer") // short: a socket's path is bounded
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := newClient(t, dir).Stop(context.Background()); err != nil {
			t.Error(err)
		}
		_ = os.RemoveAll(dir)
	})
	return dir
}

// healthyOver waits until the process says that all targets are healthy.
func healthyOver(t *testing.T, c *balancer.Client) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	err := c.Follow(ctx, func(s balancer.Status) {
		if balancertest.TargetsAre("healthy")(s) {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

func TestTrafficGoesOnWhileTheDaemonIsReplaced(t *testing.T) {
	dir, port := privateDir(t), balancertest.FreePort(t)
	config := balancertest.OneGroup(port, 2, balancertest.Backend(t, "a", nil), balancertest.Backend(t, "b", nil))
	first := newClient(t, dir)
	if err := first.Set(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	healthyOver(t, first)
	before, err := first.About(t.Context())
	if err != nil {
		t.Fatal(err)
	}

	var sent, lost atomic.Int64
	ctx, stop := context.WithCancel(t.Context())
	var load sync.WaitGroup
	load.Go(func() {
		for ctx.Err() == nil {
			req, _ := http.NewRequest(http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/", port), nil)
			req.Host, req.Close = balancertest.DNSName, true
			sent.Add(1)
			answer, err := http.DefaultTransport.RoundTrip(req)
			if err != nil {
				lost.Add(1)
				continue
			}
			if _, err := io.Copy(io.Discard, answer.Body); err != nil || answer.StatusCode != http.StatusOK {
				lost.Add(1)
			}
			_ = answer.Body.Close()
		}
	})
	first.Close()
	for range 5 {
		next := newClient(t, dir)
		if err := next.Set(t.Context(), config); err != nil {
			t.Fatal(err)
		}
		healthyOver(t, next)
		after, err := next.About(t.Context())
		if err != nil || after.PID != before.PID {
			t.Fatalf("the process was not adopted: %+v, was %+v, %v", after, before, err)
		}
		next.Close()
	}
	stop()
	load.Wait()
	t.Logf("%d requests, %d lost", sent.Load(), lost.Load())
	if lost.Load() != 0 || sent.Load() == 0 {
		t.Errorf("%d of %d requests lost", lost.Load(), sent.Load())
	}
}

func TestTheControlSocketIsPrivate(t *testing.T) {
	dir := privateDir(t)
	if err := newClient(t, dir).Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(balancer.SocketPath(dir))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
}

func TestABalancerThatDiedIsStartedAgain(t *testing.T) {
	dir, port := privateDir(t), balancertest.FreePort(t)
	config := balancertest.OneGroup(port, 1, balancertest.Backend(t, "a", nil))
	c := newClient(t, dir)
	if err := c.Set(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	dead, err := c.About(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	gone := make(chan error)
	go func() { gone <- c.Follow(t.Context(), func(balancer.Status) {}) }()
	if err := syscall.Kill(dead.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := <-gone; err == nil {
		t.Error("its death was not noticed")
	}
	if err := c.Set(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	healthyOver(t, c)
	if _, body := balancertest.Get(t, "127.0.1.1", port); body != "a" {
		t.Errorf("answered %q", body)
	}
}

func TestStoppingClosesAllPorts(t *testing.T) {
	dir, port := privateDir(t), balancertest.FreePort(t)
	c := newClient(t, dir)
	for range 2 {
		if err := c.Set(t.Context(), balancertest.OneGroup(port, 2)); err != nil {
			t.Fatal(err)
		}
		if err := c.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Stop(t.Context()); err != nil {
		t.Errorf("stop without a process: %v", err)
	}
}

func TestAProcessThatCannotStartSaysWhere(t *testing.T) {
	c := newClient(t, privateDir(t))
	c.Command = []string{"/bin/false"}
	if err := c.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "balancer.log") {
		t.Errorf("%v", err)
	}
}

func TestCountersAndLogsOutliveNoProcess(t *testing.T) {
	dir, logs, port := privateDir(t), t.TempDir(), balancertest.FreePort(t)
	config := balancertest.OneGroup(port, 1, balancertest.Backend(t, "a", nil))
	config.LoadBalancers[0].LogDir = logs
	c := newClient(t, dir)
	if err := c.Set(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	healthyOver(t, c)
	balancertest.Get(t, "127.0.1.1", port)
	for end := time.Now().Add(5 * time.Second); ; {
		counters, err := c.Counters(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		n := counters.Nodes[0]
		if len(n.Groups) == 1 && n.Groups[0].Sums["RequestCount"] == 1 && n.Groups[0].Healthy == 1 &&
			len(n.Groups[0].Times) == 1 &&
			!counters.Since.IsZero() {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%+v", counters)
		}
	}
	if err := c.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, lines := balancertest.AccessLogs(t, logs); len(lines) != 1 ||
		!strings.Contains(lines[0], ` "GET http://web-1.us-east-1.elb.localhost:`) {
		t.Errorf("after the process has ended the log holds %q", lines)
	}
}

func TestEveryThreadOfTheProcessWaitsForItsTurn(t *testing.T) {
	c := newClient(t, privateDir(t))
	if err := c.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	process, err := c.About(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", process.PID))
	if err != nil || len(threads) == 0 {
		t.Fatalf("%d threads, %v", len(threads), err)
	}
	for _, thread := range threads {
		id, err := strconv.Atoi(thread.Name())
		if err != nil {
			t.Fatal(err)
		}
		attr, err := unix.SchedGetAttr(id, 0)
		if errors.Is(err, unix.ESRCH) {
			continue // it has ended since
		}
		if err != nil || attr.Policy != unix.SCHED_BATCH {
			t.Errorf("thread %d: %+v, %v", id, attr, err)
		}
	}
}
