//go:build linux

package engine

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/balancertest"
)

// witness is a target with another HTTP parser, which records the requests it sees.
type witness struct {
	mu   sync.Mutex
	seen []string // method and path of every request
}

func (w *witness) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if r.UserAgent() == "ELB-HealthChecker/2.0" {
		return
	}
	w.mu.Lock()
	w.seen = append(w.seen, r.Method+" "+r.URL.Path)
	w.mu.Unlock()
	out.Header().Set("X-Witness", "1")
	_, _ = fmt.Fprint(out, len(body), err)
}

// takeSeen returns the requests seen since the last call.
func (w *witness) takeSeen() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	seen := w.seen
	w.seen = nil
	return seen
}

// smuggled are texts with which attackers try to make the target see a request that the
// load balancer does not see.
var smuggled = func() []string {
	const (
		post   = "POST / HTTP/1.1\r\nHost: h\r\n"
		get    = "GET / HTTP/1.1\r\nHost: h\r\n"
		hidden = "GET /hidden HTTP/1.1\r\nHost: h\r\n\r\n"
		second = "GET /b HTTP/1.1\r\nHost: h\r\n\r\n"
	)
	return []string{
		post + "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden,
		post + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n" +
			"2a\r\nGET /hidden HTTP/1.1\r\nHost: h\r\nX: yyyyyyyy\r\n0\r\n\r\n",
		post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n" + hidden,
		post + "Transfer-Encoding: \x0bchunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
		post + "Transfer-Encoding : chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
		get + "Content-Length: 33\r\n\r\n" + hidden,
		get + "X: a\r" + hidden,
		get + "X: a\n" + hidden,
		post + "Transfer-Encoding: chunked\r\n\r\n1;x\n\r\n" + hidden + "0\r\n\r\n",
		post + "Transfer-Encoding: chunked\r\n\r\n1\r\nZ\r\nQ\r\n\r\n" + hidden,
		"POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc" + hidden,
		post + "Content-Length: 0, 5\r\n\r\nhello",
		"GET /a HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n" +
			"Connection: Content-Length, Host\r\nContent-Length: 2\r\n\r\nok",
		"HEAD / HTTP/1.1\r\nHost: h\r\n\r\n" + second,
		"GET /a HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n" + second,
		"GET http://h/a HTTP/1.1\r\nHost: other\r\n\r\n",
		"\r\n\r\nGET /a HTTP/1.1\r\nHost: h\r\n\r\n",
	}
}()

// responsesTo sends the text over one connection and counts the responses of the
// target. whole reports whether the responses are complete.
func responsesTo(t *testing.T, port uint16, text string) (fromTarget int, whole bool) {
	t.Helper()
	conn := dial(t, port)
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	_, _ = io.WriteString(conn, text)
	_ = conn.(*net.TCPConn).CloseWrite()
	all, err := io.ReadAll(conn)
	method, _, _ := strings.Cut(text, " ") // of the first request: responses to HEAD have no body
	for in := bufio.NewReader(bytes.NewReader(all)); ; method = http.MethodGet {
		r, parse := http.ReadResponse(in, &http.Request{Method: method})
		if parse != nil {
			return fromTarget, err == nil
		}
		if _, parse := io.Copy(io.Discard, r.Body); parse != nil {
			return fromTarget, false
		}
		if r.Header.Get("X-Witness") != "" {
			fromTarget++
		}
	}
}

func TestTargetSeesExactlyTheRequestsThatTheClientGetsResponsesTo(t *testing.T) {
	w := &witness{}
	s := httptest.NewServer(w)
	t.Cleanup(s.Close)
	target := balancertest.Target("witness", s.Listener.Addr())
	for _, mode := range []string{"monitor", "defensive", "strictest"} {
		port := serve(t, target, func(lb *balancer.LoadBalancer) { lb.Desync, lb.IdleTimeout = mode, time.Second })
		for _, text := range smuggled {
			responses, whole := responsesTo(t, port, text)
			seen := w.takeSeen()
			if whole && responses != len(seen) {
				t.Errorf("%s: %q: the target saw %v, the client got %d responses", mode, text, seen, responses)
			}
			for _, request := range seen {
				if strings.HasSuffix(request, "/hidden") && mode != "monitor" &&
					!strings.Contains(text, "\r\n\r\nGET /hidden") {
					t.Errorf("%s: %q: the target saw %s", mode, text, request)
				}
			}
		}
	}
}
