//go:build linux

package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/balancertest"
)

const processArgument = "run-the-balancer"

// TestMain lets the test binary be the balancer process.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == processArgument {
		self := []string{"/proc/self/exe", processArgument}
		os.Exit(Run(context.Background(), self, os.Args[2:], os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

func newClient(t *testing.T, dir string) *balancer.Client {
	t.Helper()
	c := &balancer.Client{Dir: dir, Command: []string{os.Args[0], processArgument}, Log: balancertest.Log(t)}
	t.Cleanup(c.Close)
	return c
}

// processDir returns a folder for a balancer process, which ends with the test.
func processDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "balancer") // short, because the length of a socket's path is limited
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

// waitHealthy waits until the process reports that all targets are healthy.
func waitHealthy(t *testing.T, c *balancer.Client) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
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

func about(t *testing.T, c *balancer.Client) balancer.About {
	t.Helper()
	a, err := c.About(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// sendUntil sends requests, each over a new connection, until ctx ends.
func sendUntil(ctx context.Context, port uint16, sent, lost *atomic.Int64) {
	for ctx.Err() == nil {
		req, _ := http.NewRequest(http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/", port), nil)
		req.Host, req.Close = balancertest.DNSName, true
		sent.Add(1)
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			lost.Add(1)
			continue
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusOK {
			lost.Add(1)
		}
		_ = resp.Body.Close()
	}
}

func TestTrafficContinuesWhileTheDaemonIsReplaced(t *testing.T) {
	dir, port := processDir(t), balancertest.FreePort(t)
	a, b := balancertest.Backend(t, "a", nil), balancertest.Backend(t, "b", nil)
	config := balancertest.OneGroup(port, 2, a, b)
	first := newClient(t, dir)
	if err := first.Set(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	waitHealthy(t, first)
	before := about(t, first)

	var sent, lost atomic.Int64
	ctx, stop := context.WithCancel(t.Context())
	var load sync.WaitGroup
	load.Go(func() { sendUntil(ctx, port, &sent, &lost) })
	first.Close()
	for range 5 {
		next := newClient(t, dir)
		if err := next.Set(t.Context(), config); err != nil {
			t.Fatal(err)
		}
		waitHealthy(t, next)
		if after := about(t, next); after.PID != before.PID {
			t.Fatalf("the process was not adopted: %+v, was %+v", after, before)
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

func TestControlSocketIsPrivate(t *testing.T) {
	dir := processDir(t)
	if err := newClient(t, dir).Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(balancer.SocketPath(dir))
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
}

func TestSetRestartsADeadProcess(t *testing.T) {
	dir, port := processDir(t), balancertest.FreePort(t)
	config := balancertest.OneGroup(port, 1, balancertest.Backend(t, "a", nil))
	c := newClient(t, dir)
	if err := c.Set(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	pid := about(t, c).PID
	following, ended := make(chan struct{}), make(chan error)
	var once sync.Once
	go func() {
		ended <- c.Follow(t.Context(), func(balancer.Status) { once.Do(func() { close(following) }) })
	}()
	<-following
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err == nil {
		t.Error("Follow did not notice the end of the process")
	}
	if err := c.Set(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	waitHealthy(t, c)
	if _, body := balancertest.Get(t, "127.0.1.1", port); body != "a" {
		t.Errorf("target %q responded", body)
	}
}

func TestAKilledKeeperIsReplaced(t *testing.T) {
	dir, port := processDir(t), balancertest.FreePort(t)
	config := balancertest.OneGroup(port, 1, balancertest.Backend(t, "a", nil))
	c := newClient(t, dir)
	if err := c.Set(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	waitHealthy(t, c)
	before := about(t, c)
	if err := syscall.Kill(before.Keeper, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for c.Running(t.Context()) {
		time.Sleep(time.Millisecond)
	}
	if err := c.Set(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	waitHealthy(t, c)
	if after := about(t, c); after.PID == before.PID || after.Keeper == before.Keeper {
		t.Errorf("runs %+v, ran %+v", after, before)
	}
	awaitEnd(t, before.PID) // the process that lost its keeper ends by itself
	if _, body := balancertest.Get(t, "127.0.1.1", port); body != "a" {
		t.Errorf("target %q responded", body)
	}
}

func TestStopClosesAllPorts(t *testing.T) {
	dir, port := processDir(t), balancertest.FreePort(t)
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

func TestErrorOfAProcessThatCannotStartNamesItsLog(t *testing.T) {
	c := newClient(t, processDir(t))
	c.Command = []string{"/bin/false"}
	if err := c.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "balancer.log") {
		t.Errorf("%v", err)
	}
}

func TestCountersAndAccessLogsLeaveTheProcess(t *testing.T) {
	dir, logs, port := processDir(t), t.TempDir(), balancertest.FreePort(t)
	config := balancertest.OneGroup(port, 1, balancertest.Backend(t, "a", nil))
	config.LoadBalancers[0].LogDir = logs
	c := newClient(t, dir)
	c.Logs = logs
	if err := c.Set(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	waitHealthy(t, c)
	balancertest.Get(t, "127.0.1.1", port)
	for end := time.Now().Add(time.Minute); ; {
		counters, err := c.Counters(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		n := counters.Nodes[0]
		if len(n.Groups) == 1 && n.Groups[0].Sums["RequestCount"] == 1 && n.Groups[0].Healthy == 1 &&
			len(n.Groups[0].Times) == 1 && !counters.Since.IsZero() {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%+v", counters)
		}
	}
	if err := c.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, lines := balancertest.AccessLogs(t, logs)
	if len(lines) != 1 || !strings.Contains(lines[0], ` "GET http://web-1.us-east-1.elb.localhost:`) {
		t.Errorf("after the process has ended the log has %q", lines)
	}
}

func TestEveryThreadIsScheduledAsBatch(t *testing.T) {
	c := newClient(t, processDir(t))
	if err := c.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	awaitClass(t, about(t, c).PID, gathering)
}
