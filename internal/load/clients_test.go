package load

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// site is a server in memory for synctest bubbles, where the clock advances only when
// all goroutines wait.
type site struct {
	dials   atomic.Int64
	accepts chan net.Conn
	closed  chan struct{}
	once    sync.Once
}

func (s *site) Accept() (net.Conn, error) {
	select {
	case c := <-s.accepts:
		return c, nil
	case <-s.closed:
		return nil, net.ErrClosed
	}
}

func (s *site) Close() error   { s.once.Do(func() { close(s.closed) }); return nil }
func (s *site) Addr() net.Addr { return &net.UnixAddr{Name: "memory"} }

func (s *site) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	s.dials.Add(1)
	ours, theirs := net.Pipe()
	select {
	case s.accepts <- theirs:
		return ours, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// open serves a handler until shut is called.
func open(handler http.HandlerFunc) (s *site, shut func()) {
	s = &site{accepts: make(chan net.Conn), closed: make(chan struct{})}
	server := &http.Server{Handler: handler}
	served := make(chan struct{})
	go func() { defer close(served); _ = server.Serve(s) }()
	return s, func() { _ = server.Close(); <-served }
}

func TestStallIsMeasuredExactly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		s, shut := open(func(http.ResponseWriter, *http.Request) {
			// Between the second and the third second there are no responses.
			if at := time.Since(began); at >= 2*time.Second && at < 3*time.Second {
				time.Sleep(3*time.Second - at)
			}
		})
		r := run(t, Config{URL: "http://site/", Rate: 100, Dial: s.dial}, 5*time.Second-time.Millisecond)
		shut()
		if len(r.Samples) != 500 || r.Lag != 0 {
			t.Fatalf("%d samples, lag %v", len(r.Samples), r.Lag)
		}
		for i, s := range r.Samples {
			at, want := time.Duration(i)*10*time.Millisecond, time.Duration(0)
			if at >= 2*time.Second && at < 3*time.Second {
				want = 3*time.Second - at
			}
			if s.At != at || s.Latency != want || s.Kind != OK {
				t.Fatalf("request %d: %+v, want %v after %v", i, s, want, at)
			}
		}
	})
}

func TestClientsKeepConnectionsAndAreReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, shut := open(func(http.ResponseWriter, *http.Request) {})
		r := run(t, Config{URL: "http://site/", Rate: 128, Dial: s.dial}, time.Minute-time.Millisecond)
		shut()
		// All clients are replaced within half a minute, and again in the next.
		if dials := s.dials.Load(); len(r.Samples) != 128*60 || dials < 3*clientCount-6 || dials > 3*clientCount+6 {
			t.Errorf("%d requests over %d connections", len(r.Samples), dials)
		}
	})
}

func TestGeneratorIsBoundedWithoutResponses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		silent := func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		r := run(t, Config{URL: "http://site/", Rate: 5000, Dial: silent}, 4*time.Second-100*time.Microsecond)
		got := count(r)
		if got[Timeout] != maxInFlight || got[Unsent] != len(r.Samples)-maxInFlight || len(r.Samples) != 20000 {
			t.Errorf("%v", got)
		}
		for _, s := range r.Samples {
			if s.Kind == Timeout && s.Latency != defaultTimeout {
				t.Fatalf("%+v", s)
			}
		}
	})
}

func TestSnapshotExcludesRequestsInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, shut := open(func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(time.Second)
			_, _ = fmt.Fprint(w, "server-1")
		})
		g := New(Config{
			URL:    "http://site/",
			Rate:   10,
			Dial:   s.dial,
			Target: func(_ *http.Response, body []byte) string { return string(body) },
		})
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		done := make(chan Recording)
		go func() { done <- g.Run(ctx) }()
		time.Sleep(1950 * time.Millisecond)
		if n := len(g.Snapshot().Samples); n != 10 {
			t.Errorf("%d have ended, want 10", n)
		}
		g.SetRate(0)
		r := <-done
		shut()
		if n := len(r.Samples); n != 20 || r.Samples[19].Target != "server-1" || r.Samples[19].Status != 200 {
			t.Errorf("%d: %+v", n, r.Samples[n-1])
		}
	})
}
