//go:build linux

package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/balancertest"
)

// failure is a request that failed.
type failure struct {
	began time.Time
	err   error
}

// clients sends requests until it is stopped.
type clients struct {
	url     string
	oneEach bool // a connection for each request
	stop    context.CancelFunc
	running sync.WaitGroup

	mu       sync.Mutex
	sent     int
	slowest  time.Duration
	failures []failure
}

func startClients(ctx context.Context, n int, port uint16, oneEach bool) *clients {
	ctx, stop := context.WithCancel(ctx)
	c := &clients{url: fmt.Sprintf("http://127.0.0.1:%d/", port), oneEach: oneEach, stop: stop}
	for range n {
		c.running.Go(func() { c.run(ctx) })
	}
	return c
}

func (c *clients) run(ctx context.Context) {
	transport := &http.Transport{DisableKeepAlives: c.oneEach}
	defer transport.CloseIdleConnections()
	for ctx.Err() == nil {
		began := time.Now()
		err := get(transport, c.url)
		c.mu.Lock()
		c.sent++
		c.slowest = max(c.slowest, time.Since(began))
		if err != nil {
			c.failures = append(c.failures, failure{began, err})
		}
		c.mu.Unlock()
	}
}

func get(transport *http.Transport, url string) error {
	req, _ := http.NewRequest(http.MethodGet, url, nil)
	req.Host = balancertest.DNSName
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	return nil
}

// sends waits until n more requests have been sent.
func (c *clients) sends(t *testing.T, n int) {
	t.Helper()
	count := func() int { c.mu.Lock(); defer c.mu.Unlock(); return c.sent }
	for before := count(); count() < before+n; {
		if t.Context().Err() != nil {
			t.Fatal("the clients are stuck")
		}
		time.Sleep(time.Millisecond)
	}
}

// failed returns what has failed.
func (c *clients) failed() []failure {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.failures)
}

// end stops the clients and returns what failed.
func (c *clients) end(t *testing.T) []failure {
	t.Helper()
	c.stop()
	c.running.Wait()
	t.Logf("%d requests, %d failed, the slowest took %v", c.sent, len(c.failures), c.slowest)
	return c.failures
}

func TestKilledProcessCostsOnlyTheRequestsInFlight(t *testing.T) {
	dir, port := processDir(t), balancertest.FreePort(t)
	c := newClient(t, dir)
	if err := c.Set(t.Context(), balancertest.OneGroup(port, 2, balancertest.Backend(t, "a", nil))); err != nil {
		t.Fatal(err)
	}
	waitHealthy(t, c)
	load := startClients(t.Context(), 8, port, true)
	for range 3 {
		load.sends(t, 100)
		before := about(t, c)
		if err := syscall.Kill(before.PID, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		for syscall.Kill(before.PID, 0) == nil { // until its keeper has noticed
			time.Sleep(100 * time.Microsecond)
		}
		dead := time.Now()
		load.sends(t, 100)
		for _, f := range load.failed() {
			if f.began.After(dead) || errors.Is(f.err, syscall.ECONNREFUSED) {
				t.Errorf("a request that began %v after the end: %v", f.began.Sub(dead), f.err)
			}
		}
		if after := about(t, c); after.PID == before.PID || after.Keeper != before.Keeper {
			t.Errorf("runs %+v, ran %+v", after, before)
		}
	}
	load.end(t)
	waitHealthy(t, c) // nobody has configured it again
}

// TestAnotherProgramTakesOver lets another version of the program take over while clients
// keep connections and requests are in flight.
func TestAnotherProgramTakesOver(t *testing.T) {
	dir, port := processDir(t), balancertest.FreePort(t)
	slow, finish := make(chan struct{}, 8), make(chan struct{})
	var once sync.Once
	target := balancertest.Backend(t, "a", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			slow <- struct{}{}
			<-finish
		}
		_, _ = io.WriteString(w, "a")
	})
	t.Cleanup(func() { once.Do(func() { close(finish) }) }) // before the target's, which waits for its requests
	first := newClient(t, dir)
	if err := first.Set(t.Context(), balancertest.OneGroup(port, 2, target)); err != nil {
		t.Fatal(err)
	}
	waitHealthy(t, first)
	before := about(t, first)

	kept, single := startClients(t.Context(), 4, port, false), startClients(t.Context(), 4, port, true)
	slowEnded := make(chan error, 1)
	go func() { slowEnded <- get(&http.Transport{}, kept.url+"slow") }()
	<-slow
	next := newClient(t, dir)
	next.Command = []string{copyOfProgram(t), processArgument}
	kept.sends(t, 100)
	if err := next.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	after := about(t, next)
	if after.PID == before.PID || after.Program == before.Program || after.Keeper != before.Keeper {
		t.Errorf("runs %+v, ran %+v", after, before)
	}
	if s := status(t, next); !balancertest.TargetsAre("healthy")(s) {
		t.Errorf("the health of the targets is lost: %+v", s)
	}
	kept.sends(t, 100)
	single.sends(t, 100)
	once.Do(func() { close(finish) })
	if err := <-slowEnded; err != nil {
		t.Errorf("a request in flight: %v", err)
	}
	for _, f := range append(kept.end(t), single.end(t)...) {
		t.Error(f.err)
	}
	awaitEnd(t, before.PID)
	if err := next.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if again := about(t, next); again != after {
		t.Errorf("runs %+v, ran %+v", again, after)
	}
}

// awaitEnd waits until a process has ended.
func awaitEnd(t *testing.T, pid int) {
	t.Helper()
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	process := os.NewFile(uintptr(fd), "process")
	defer func() { _ = process.Close() }()
	const patience = 60_000 // milliseconds
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, patience)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil || n == 0 {
			t.Fatalf("process %d does not end: %v", pid, err)
		}
		return
	}
}

// status returns the first status that the process reports.
func status(t *testing.T, c *balancer.Client) (first balancer.Status) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var once sync.Once
	_ = c.Follow(ctx, func(s balancer.Status) { once.Do(func() { first = s; cancel() }) })
	return first
}

// copyOfProgram returns the path of another file with this program.
func copyOfProgram(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, text, 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}
