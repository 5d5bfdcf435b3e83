package engine

import (
	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/balancertest"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

func TestDeregisteringUnderLoadLosesNoRequest(t *testing.T) {
	var targets []balancer.Target
	for _, name := range []string{"a", "b", "c"} {
		targets = append(targets, balancertest.Backend(t, name, nil))
	}
	e, port := newEngine(t), balancertest.FreePort(t)
	e.Set(balancertest.OneGroup(port, 3, targets...))
	waitHealthy(t, e)

	var sent, lost atomic.Int64
	stop, ended := make(chan struct{}), make(chan struct{})
	var load sync.WaitGroup
	for range 8 {
		client := &http.Client{Transport: &http.Transport{}}
		load.Go(func() {
			defer client.CloseIdleConnections()
			for {
				select {
				case <-stop:
					return
				default:
				}
				req, _ := http.NewRequest(http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/", port), nil)
				req.Host = balancertest.DNSName
				sent.Add(1)
				select {
				case ended <- struct{}{}: // the one before
				default:
				}
				answer, err := client.Do(req)
				if err != nil {
					lost.Add(1)
					continue
				}
				_, err = io.Copy(io.Discard, answer.Body)
				_ = answer.Body.Close()
				if err != nil || answer.StatusCode != http.StatusOK {
					lost.Add(1)
				}
			}
		})
	}
	for round := range 60 {
		changed := slices.Clone(targets)
		changed[round%3].Draining = true
		e.Set(balancertest.OneGroup(port, 3, changed...))
		e.Set(balancertest.OneGroup(port, 3, targets...)) // and back
		waitHealthy(t, e)
		for range 2 { // however slow this host is, there are requests in every round
			<-ended
		}
	}
	close(stop)
	load.Wait()
	t.Logf("%d requests, %d lost", sent.Load(), lost.Load())
	if lost.Load() > 0 || sent.Load() < 100 {
		t.Errorf("%d of %d requests lost", lost.Load(), sent.Load())
	}
}

func TestADrainingTargetFinishesWhatIsInFlight(t *testing.T) {
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
	if answer, _ := balancertest.Get(t, "127.0.1.1", port); answer.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a new request was answered %d", answer.StatusCode)
	}
	close(finish)
	if body := <-result; body != "done" {
		t.Errorf("the request in flight got %q", body)
	}
}

func TestRequestsInFlightEndWithTheirTargetsRegistration(t *testing.T) {
	entered := make(chan struct{})
	slow := balancertest.Backend(t, "slow", func(w http.ResponseWriter, r *http.Request) {
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
		answer, _ := balancertest.Get(t, "127.0.1.1", port)
		code <- answer.StatusCode
	}()
	<-entered
	e.Set(balancertest.OneGroup(port, 1))
	if got := <-code; got != http.StatusBadGateway {
		t.Errorf("got %d", got)
	}
}
