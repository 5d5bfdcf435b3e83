package engine

import (
	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/balancertest"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// overHTTP2 serves the targets over HTTPS and returns a client that speaks HTTP/2
// over one connection.
func overHTTP2(t *testing.T, change func(*balancer.LoadBalancer), targets ...balancer.Target) (*Engine, uint16, *http.Client, balancer.Config) {
	t.Helper()
	e, port := newEngine(t), balancertest.FreePort(t)
	conf := overTLS(balancertest.OneGroup(port, 1, targets...), modern, issue(t, curveKey(t), tomorrow, balancertest.DNSName))
	if change != nil {
		change(&conf.LoadBalancers[0])
	}
	e.Set(conf)
	waitHealthy(t, e)
	return e, port, client(t, "127.0.1.1", true, nil), conf
}

// connections counts those of the node, streams apart.
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

func TestRequestsShareAnHTTP2ConnectionAndAreSpread(t *testing.T) {
	a, b := balancertest.Backend(t, "a", nil), balancertest.Backend(t, "b", nil)
	e, port, c, _ := overHTTP2(t, nil, a, b)
	fetch(t, c, http.MethodGet, url(port, "/"), nil)
	var mu sync.Mutex
	count := map[string]int{}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			for range 10 {
				_, body := fetch(t, c, http.MethodGet, url(port, "/"), nil)
				mu.Lock()
				count[body]++
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if count["a"] < 90 || count["b"] < 90 {
		t.Errorf("spread %v", count)
	}
	if whole, _ := connections(e); whole != 1 {
		t.Errorf("%d connections", whole)
	}
	waitFor(t, "no stream is left", func() bool { _, n := connections(e); return n == 0 })
}

func TestBodiesOfAnyKindPassOverHTTP2(t *testing.T) {
	b := balancertest.Backend(t, "b", func(w http.ResponseWriter, r *http.Request) {
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
		case "/hints":
			w.Header().Set("Link", "</style.css>")
			w.WriteHeader(http.StatusEarlyHints)
		}
	})
	_, port, c, _ := overHTTP2(t, nil, b)
	big := strings.Repeat("0123456789abcdef", 1<<17) // 2 MiB
	for _, body := range []io.Reader{strings.NewReader(big), struct{ io.Reader }{strings.NewReader(big)}} {
		declared := "-1"
		if _, sized := body.(*strings.Reader); sized {
			declared = fmt.Sprint(len(big))
		}
		answer, got := fetch(t, c, http.MethodPost, url(port, "/echo"), body)
		if got != big || answer.Trailer.Get("X-Sum") != fmt.Sprint(len(big), " ", declared) {
			t.Errorf("%d bytes, trailer %v, declared %s", len(got), answer.Trailer, declared)
		}
	}
	if answer, _ := fetch(t, c, http.MethodPost, url(port, "/early"), strings.NewReader(big)); answer.StatusCode != 413 {
		t.Errorf("early answer: %d", answer.StatusCode)
	}
	if answer, err := c.Get(url(port, "/torn")); err == nil {
		if _, err = io.ReadAll(answer.Body); err == nil {
			t.Error("a torn answer looks whole")
		}
	}
	hinted := ""
	ctx := httptrace.WithClientTrace(
		t.Context(),
		&httptrace.ClientTrace{Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
			hinted = fmt.Sprint(code, h["Link"])
			return nil
		}},
	)
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, url(port, "/hints"), nil)
	if answer, err := c.Do(req); err != nil || answer.StatusCode != 200 || hinted != "103 [</style.css>]" {
		t.Errorf("%v %v %q", answer, err, hinted)
	}
}

func TestAnswersStreamOverHTTP2(t *testing.T) {
	more := make(chan struct{})
	b := balancertest.Backend(t, "b", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/stream" {
			_, _ = io.WriteString(w, "first")
			w.(http.Flusher).Flush()
			<-more
			_, _ = io.WriteString(w, "last")
		}
	})
	_, port, c, _ := overHTTP2(t, nil, b)
	answer, err := c.Get(url(port, "/stream"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	part := make([]byte, 5)
	if _, err := io.ReadFull(answer.Body, part); err != nil || string(part) != "first" {
		t.Fatalf("%q %v", part, err)
	}
	close(more)
	if rest, err := io.ReadAll(answer.Body); string(rest) != "last" || err != nil {
		t.Errorf("%q %v", rest, err)
	}
}

func TestAClientThatGivesUpAStreamFreesTheTarget(t *testing.T) {
	asked, freed := make(chan struct{}), make(chan struct{})
	b := balancertest.Backend(t, "b", func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			close(asked)
			<-r.Context().Done()
			close(freed)
		}
	})
	e, port, c, _ := overHTTP2(t, nil, b)
	ctx, cancel := context.WithCancel(t.Context())
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, url(port, "/slow"), nil)
	go func() { <-asked; cancel() }()
	if _, err := c.Do(req); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	<-freed
	if answer, _ := fetch(t, c, http.MethodGet, url(port, "/"), nil); answer.StatusCode != 200 {
		t.Errorf("the connection is of no use: %d", answer.StatusCode)
	}
	if whole, _ := connections(e); whole != 1 {
		t.Errorf("%d connections", whole)
	}
}

func TestTimeOutsHoldOverHTTP2(t *testing.T) {
	b := balancertest.Backend(t, "b", func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			<-r.Context().Done()
		}
	})
	e, port, c, _ := overHTTP2(t, func(lb *balancer.LoadBalancer) { lb.IdleTimeout = 300 * time.Millisecond }, b)
	if answer, _ := fetch(t, c, http.MethodGet, url(port, "/slow"), nil); answer.StatusCode != 504 {
		t.Errorf("%d", answer.StatusCode)
	}
	waitFor(t, "the idle connection is closed", func() bool { n, _ := connections(e); return n == 0 })
}

func TestAnOldHTTP2ConnectionIsReplaced(t *testing.T) {
	b := balancertest.Backend(t, "b", nil)
	e, port, c, _ := overHTTP2(t, func(lb *balancer.LoadBalancer) { lb.KeepAlive = time.Nanosecond }, b)
	for range 20 {
		if answer, _ := fetch(t, c, http.MethodGet, url(port, "/"), nil); answer.StatusCode != 200 ||
			answer.Header.Get("Connection") != "" {
			t.Fatalf("%d %v", answer.StatusCode, answer.Header)
		}
	}
	waitFor(t, "no connection is left", func() bool { n, _ := connections(e); return n == 0 })
}

func TestRequestsUnderWayOutliveAnHTTP2Port(t *testing.T) {
	asked, more := make(chan struct{}), make(chan struct{})
	b := balancertest.Backend(t, "b", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			close(asked)
			<-more
			_, _ = io.WriteString(w, "done")
		}
	})
	e, port, c, conf := overHTTP2(t, nil, b)
	got := make(chan string)
	go func() {
		_, body := fetch(t, c, http.MethodGet, url(port, "/slow"), nil)
		got <- body
	}()
	<-asked
	lb := conf.LoadBalancers[0]
	lb.Listeners = nil
	e.Set(balancer.Config{LoadBalancers: []balancer.LoadBalancer{lb}, TargetGroups: conf.TargetGroups})
	close(more)
	if body := <-got; body != "done" {
		t.Errorf("%q", body)
	}
	waitFor(t, "no port is left", func() bool { return len(e.ports()) == 0 })
}

func TestGRPCNeedsAnotherTargetGroup(t *testing.T) {
	b := balancertest.Backend(t, "b", nil)
	_, port, c, _ := overHTTP2(t, nil, b)
	if answer, _ := fetch(t, c, http.MethodPost, url(port, "/pkg.Service/Method"), strings.NewReader("x"), "Content-Type", "application/grpc"); answer.StatusCode != 464 {
		t.Errorf("%d", answer.StatusCode)
	}
}

func TestALoadBalancerWithoutTargetsRefusesOverHTTP2(t *testing.T) {
	e, port := newEngine(t), balancertest.FreePort(t)
	e.Set(overTLS(balancertest.OneGroup(port, 1), modern, issue(t, curveKey(t), tomorrow, balancertest.DNSName)))
	answer, body := fetch(
		t,
		client(t, "127.0.1.1", true, nil),
		http.MethodPost,
		url(port, "/"),
		strings.NewReader(strings.Repeat("x", 1<<20)),
	)
	if answer.StatusCode != 503 || !strings.Contains(body, "503 Service Temporarily Unavailable") {
		t.Errorf("%d %q", answer.StatusCode, body)
	}
}

func TestAccessLogsTellOfHTTP2(t *testing.T) {
	dir := t.TempDir()
	b := balancertest.Backend(t, "b", nil)
	e, port, c, _ := overHTTP2(t, func(lb *balancer.LoadBalancer) { lb.LogDir = dir }, b)
	fetch(t, c, http.MethodGet, url(port, "/some?a=1"), nil)
	fetch(t, client(t, "127.0.1.1", false, nil), http.MethodGet, url(port, "/more"), nil)
	e.Close()
	var lines []string
	_ = filepath.WalkDir(dir, func(path string, _ fs.DirEntry, _ error) error {
		file, err := os.Open(path)
		if err == nil && strings.HasSuffix(path, ".gz") {
			zip, _ := gzip.NewReader(file)
			text, _ := io.ReadAll(zip)
			lines = append(lines, strings.Split(strings.TrimSpace(string(text)), "\n")...)
		}
		return nil
	})
	if len(lines) != 2 || !strings.HasPrefix(lines[0], "h2 ") || !strings.HasPrefix(lines[1], "https ") {
		t.Fatalf("%q", lines)
	}
	for i, request := range []string{"some?a=1 HTTP/2.0", "more HTTP/1.1"} {
		for _, part := range []string{fmt.Sprintf(`"GET https://%s:%d/%s"`, balancertest.DNSName, port, request), " TLS_AES_128_GCM_SHA256 TLSv1.3 ", fmt.Sprintf(` "%s" "%s" `, balancertest.DNSName, balancertest.DNSName)} {
			if !strings.Contains(lines[i], part) {
				t.Errorf("no %s in %s", part, lines[i])
			}
		}
	}
}
