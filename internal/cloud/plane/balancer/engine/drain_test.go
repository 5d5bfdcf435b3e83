//go:build linux

package engine

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/balancertest"
)

// load sends requests from several clients until it is stopped.
type load struct {
	sent, lost atomic.Int64
	stop       chan struct{}
	began      chan struct{} // receives when a request begins and someone waits for it
	clients    sync.WaitGroup
}

func startLoad(port uint16, clients int) *load {
	l := &load{stop: make(chan struct{}), began: make(chan struct{})}
	for range clients {
		l.clients.Go(func() { l.run(port) })
	}
	return l
}

func (l *load) run(port uint16) {
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	for {
		select {
		case <-l.stop:
			return
		default:
		}
		req, _ := http.NewRequest(http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/", port), nil)
		req.Host = balancertest.DNSName
		l.sent.Add(1)
		select {
		case l.began <- struct{}{}:
		default:
		}
		resp, err := client.Do(req)
		if err != nil {
			l.lost.Add(1)
			continue
		}
		_, err = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK {
			l.lost.Add(1)
		}
	}
}

func TestDeregisteringUnderLoadLosesNoRequest(t *testing.T) {
	var targets []balancer.Target
	for _, name := range []string{"a", "b", "c"} {
		targets = append(targets, balancertest.Backend(t, name, nil))
	}
	e, port := newEngine(t), balancertest.FreePort(t)
	e.Set(balancertest.OneGroup(port, 3, targets...))
	waitHealthy(t, e)
	l := startLoad(port, 8)
	for round := range 60 {
		changed := slices.Clone(targets)
		changed[round%3].Draining = true
		e.Set(balancertest.OneGroup(port, 3, changed...))
		e.Set(balancertest.OneGroup(port, 3, targets...)) // and back
		waitHealthy(t, e)
		for range 2 { // however slow the host is, every round has requests
			<-l.began
		}
	}
	close(l.stop)
	l.clients.Wait()
	t.Logf("%d requests, %d lost", l.sent.Load(), l.lost.Load())
	if l.lost.Load() > 0 || l.sent.Load() < 100 {
		t.Errorf("%d of %d requests lost", l.lost.Load(), l.sent.Load())
	}
}

func TestDrainingTargetFinishesRequestsInFlight(t *testing.T) {
	entered, finish := make(chan struct{}), make(chan struct{})
	slow := balancertest.Backend(t, "slow", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			return
		}
		close(entered)
		<-finish
		_, _ = io.WriteString(w, "done")
	})
	e, port := newEngine(t), balancertest.FreePort(t)
	e.Set(balancertest.OneGroup(port, 1, slow))
	waitHealthy(t, e)
	result := make(chan string)
	go func() {
		_, body := balancertest.Get(t, "127.0.1.1", port)
		result <- body
	}()
	<-entered
	draining := slow
	draining.Draining = true
	e.Set(balancertest.OneGroup(port, 1, draining))
	if resp, _ := balancertest.Get(t, "127.0.1.1", port); resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a new request got %d", resp.StatusCode)
	}
	close(finish)
	if body := <-result; body != "done" {
		t.Errorf("the request in flight got %q", body)
	}
}

func TestRequestsInFlightEndWithTheirTargetsRegistration(t *testing.T) {
	entered := make(chan struct{})
	slow := balancertest.Backend(t, "slow", func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			close(entered)
			<-r.Context().Done()
		}
	})
	e, port := newEngine(t), balancertest.FreePort(t)
	e.Set(balancertest.OneGroup(port, 1, slow))
	waitHealthy(t, e)
	code := make(chan int)
	go func() {
		resp, _ := balancertest.Get(t, "127.0.1.1", port)
		code <- resp.StatusCode
	}()
	<-entered
	e.Set(balancertest.OneGroup(port, 1))
	if got := <-code; got != http.StatusBadGateway {
		t.Errorf("got %d", got)
	}
}
