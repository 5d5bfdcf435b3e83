//go:build linux

package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/balancertest"
)

// http2Setup is an engine with an HTTPS listener, and a client that uses HTTP/2 over one
// connection.
type http2Setup struct {
	*http.Client
	engine *Engine
	port   uint16
	conf   balancer.Config
}

// overHTTP2 serves the targets over HTTPS; change may be nil.
func overHTTP2(t *testing.T, change func(*balancer.LoadBalancer), targets ...balancer.Target) http2Setup {
	t.Helper()
	e, port := newEngine(t), balancertest.FreePort(t)
	certificate := issue(t, curveKey(t), tomorrow, balancertest.DNSName)
	conf := withTLS(balancertest.OneGroup(port, 1, targets...), modern, certificate)
	if change != nil {
		change(&conf.LoadBalancers[0])
	}
	e.Set(conf)
	if len(targets) > 0 {
		waitHealthy(t, e)
	}
	return http2Setup{newClient(t, "127.0.1.1", true, nil), e, port, conf}
}

// connections counts the engine's connections and, apart from them, their streams.
func connections(e *Engine) (whole, streams int) {
	for _, p := range e.ports() {
		p.each(func(c *connection) {
			if c.stream {
				streams++
			} else {
				whole++
			}
		})
	}
	return whole, streams
}

func waitNoConnection(t *testing.T, e *Engine) {
	t.Helper()
	waitFor(t, "the connection is closed", func() bool { n, _ := connections(e); return n == 0 })
}

func TestHTTP2RequestsShareAConnectionAndAreSpread(t *testing.T) {
	s := overHTTP2(t, nil, balancertest.Backend(t, "a", nil), balancertest.Backend(t, "b", nil))
	get(t, s.Client, url(s.port, "/"))
	var mu sync.Mutex
	count := map[string]int{}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			for range 10 {
				_, body := get(t, s.Client, url(s.port, "/"))
				mu.Lock()
				count[body]++
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if count["a"] < 90 || count["b"] < 90 {
		t.Errorf("requests by target: %v", count)
	}
	if whole, _ := connections(s.engine); whole != 1 {
		t.Errorf("%d connections", whole)
	}
	waitFor(t, "no stream is left", func() bool { _, n := connections(s.engine); return n == 0 })
}

func TestHTTP2CarriesBodiesOfAnyKind(t *testing.T) {
	target := balancertest.Backend(t, "b", func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/echo":
			_ = http.NewResponseController(w).EnableFullDuplex()
			w.Header().Set("Trailer", "X-Sum")
			n, _ := io.Copy(w, r.Body)
			w.Header().Set("X-Sum", fmt.Sprint(n, " ", r.ContentLength))
		case "/early":
			w.WriteHeader(http.StatusRequestEntityTooLarge)
		case "/torn":
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "part")
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}
	})
	s := overHTTP2(t, nil, target)
	big := strings.Repeat("0123456789abcdef", 1<<17) // 2 MiB
	for _, body := range []io.Reader{strings.NewReader(big), struct{ io.Reader }{strings.NewReader(big)}} {
		declared := "-1"
		if _, sized := body.(*strings.Reader); sized {
			declared = fmt.Sprint(len(big))
		}
		resp, got := do(t, s.Client, http.MethodPost, url(s.port, "/echo"), body)
		if got != big || resp.Trailer.Get("X-Sum") != fmt.Sprint(len(big), " ", declared) {
			t.Errorf("%d bytes, trailer %v, declared %s", len(got), resp.Trailer, declared)
		}
	}
	resp, _ := do(t, s.Client, http.MethodPost, url(s.port, "/early"), strings.NewReader(big))
	if resp.StatusCode != 413 {
		t.Errorf("a response before the whole body: %d", resp.StatusCode)
	}
	if resp, err := s.Get(url(s.port, "/torn")); err == nil {
		if _, err = io.ReadAll(resp.Body); err == nil {
			t.Error("a truncated response looks whole")
		}
	}
}

func TestHTTP2CarriesInterimResponses(t *testing.T) {
	s := overHTTP2(t, nil, balancertest.Backend(t, "b", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hints" {
			w.Header().Set("Link", "</style.css>")
			w.WriteHeader(http.StatusEarlyHints)
		}
	}))
	hints := ""
	trace := &httptrace.ClientTrace{Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
		hints = fmt.Sprint(code, h["Link"])
		return nil
	}}
	ctx := httptrace.WithClientTrace(t.Context(), trace)
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, url(s.port, "/hints"), nil)
	if resp, err := s.Do(req); err != nil || resp.StatusCode != 200 || hints != "103 [</style.css>]" {
		t.Errorf("%v %v %q", resp, err, hints)
	}
}

func TestHTTP2ResponsesAreStreamed(t *testing.T) {
	more := make(chan struct{})
	s := overHTTP2(t, nil, balancertest.Backend(t, "b", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/stream" {
			_, _ = io.WriteString(w, "first")
			w.(http.Flusher).Flush()
			<-more
			_, _ = io.WriteString(w, "last")
		}
	}))
	resp, err := s.Get(url(s.port, "/stream"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	part := make([]byte, 5)
	if _, err := io.ReadFull(resp.Body, part); err != nil || string(part) != "first" {
		t.Fatalf("%q %v", part, err)
	}
	close(more)
	if rest, err := io.ReadAll(resp.Body); string(rest) != "last" || err != nil {
		t.Errorf("%q %v", rest, err)
	}
}

func TestHTTP2ClientThatResetsAStreamFreesTheTarget(t *testing.T) {
	asked, freed := make(chan struct{}), make(chan struct{})
	s := overHTTP2(t, nil, balancertest.Backend(t, "b", func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			close(asked)
			<-r.Context().Done()
			close(freed)
		}
	}))
	ctx, cancel := context.WithCancel(t.Context())
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, url(s.port, "/slow"), nil)
	go func() { <-asked; cancel() }()
	if _, err := s.Do(req); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	<-freed
	if resp, _ := get(t, s.Client, url(s.port, "/")); resp.StatusCode != 200 {
		t.Errorf("the next request got %d", resp.StatusCode)
	}
	if whole, _ := connections(s.engine); whole != 1 {
		t.Errorf("%d connections", whole)
	}
}

func TestHTTP2HasTheSameTimeouts(t *testing.T) {
	target := balancertest.Backend(t, "b", func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			<-r.Context().Done()
		}
	})
	s := overHTTP2(t, func(lb *balancer.LoadBalancer) { lb.IdleTimeout = 300 * time.Millisecond }, target)
	if resp, _ := get(t, s.Client, url(s.port, "/slow")); resp.StatusCode != 504 {
		t.Errorf("%d", resp.StatusCode)
	}
	waitNoConnection(t, s.engine)
}

func TestHTTP2ConnectionPastItsKeepAliveIsReplaced(t *testing.T) {
	target := balancertest.Backend(t, "b", nil)
	s := overHTTP2(t, func(lb *balancer.LoadBalancer) { lb.KeepAlive = time.Nanosecond }, target)
	for range 20 {
		resp, _ := get(t, s.Client, url(s.port, "/"))
		if resp.StatusCode != 200 || resp.Header.Get("Connection") != "" {
			t.Fatalf("%d %v", resp.StatusCode, resp.Header)
		}
	}
	waitNoConnection(t, s.engine)
}

func TestHTTP2RequestsInFlightOutliveTheirPort(t *testing.T) {
	asked, more := make(chan struct{}), make(chan struct{})
	s := overHTTP2(t, nil, balancertest.Backend(t, "b", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			close(asked)
			<-more
			_, _ = io.WriteString(w, "done")
		}
	}))
	got := make(chan string)
	go func() {
		_, body := get(t, s.Client, url(s.port, "/slow"))
		got <- body
	}()
	<-asked
	lb := s.conf.LoadBalancers[0]
	lb.Listeners = nil
	s.engine.Set(balancer.Config{LoadBalancers: []balancer.LoadBalancer{lb}, TargetGroups: s.conf.TargetGroups})
	close(more)
	if body := <-got; body != "done" {
		t.Errorf("%q", body)
	}
	waitFor(t, "no port is left", func() bool { return len(s.engine.ports()) == 0 })
}

func TestGRPCNeedsAnotherTargetGroup(t *testing.T) {
	s := overHTTP2(t, nil, balancertest.Backend(t, "b", nil))
	resp, _ := do(t, s.Client, http.MethodPost, url(s.port, "/pkg.Service/Method"), strings.NewReader("x"),
		"Content-Type", "application/grpc")
	if resp.StatusCode != 464 {
		t.Errorf("%d", resp.StatusCode)
	}
}

func TestHTTP2GetsErrorPages(t *testing.T) {
	s := overHTTP2(t, nil) // without targets
	resp, body := do(t, s.Client, http.MethodPost, url(s.port, "/"), strings.NewReader(strings.Repeat("x", 1<<20)))
	if resp.StatusCode != 503 || !strings.Contains(body, "503 Service Temporarily Unavailable") {
		t.Errorf("%d %q", resp.StatusCode, body)
	}
}

func TestAccessLogHasHTTP2Requests(t *testing.T) {
	dir := t.TempDir()
	target := balancertest.Backend(t, "b", nil)
	s := overHTTP2(t, func(lb *balancer.LoadBalancer) { lb.LogDir = dir }, target)
	get(t, s.Client, url(s.port, "/some?a=1"))
	get(t, newClient(t, "127.0.1.1", false, nil), url(s.port, "/more"))
	s.engine.Close()
	_, lines := balancertest.AccessLogs(t, dir)
	if len(lines) != 2 || !strings.HasPrefix(lines[0], "h2 ") || !strings.HasPrefix(lines[1], "https ") {
		t.Fatalf("%q", lines)
	}
	for i, request := range []string{"some?a=1 HTTP/2.0", "more HTTP/1.1"} {
		for _, part := range []string{
			fmt.Sprintf(`"GET https://%s:%d/%s"`, balancertest.DNSName, s.port, request),
			" TLS_AES_128_GCM_SHA256 TLSv1.3 ",
			fmt.Sprintf(` "%s" "%s" `, balancertest.DNSName, balancertest.DNSName),
		} {
			if !strings.Contains(lines[i], part) {
				t.Errorf("no %s in %s", part, lines[i])
			}
		}
	}
}
