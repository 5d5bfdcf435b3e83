package engine

import (
	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/balancertest"
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
)

// witness is a target that reads requests with another parser than ours, and
// counts them by connection.
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

func (w *witness) take() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	seen := w.seen
	w.seen = nil
	return seen
}

// smuggled is a suite of texts with which attackers try to make the target see a
// request that the load balancer does not.
var smuggled = []string{
	"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /hidden HTTP/1.1\r\nHost: h\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n2a\r\nGET /hidden HTTP/1.1\r\nHost: h\r\nX: yyyyyyyy\r\n0\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\nGET /hidden HTTP/1.1\r\nHost: h\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: \x0bchunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding : chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 33\r\n\r\nGET /hidden HTTP/1.1\r\nHost: h\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: h\r\nX: a\rGET /hidden HTTP/1.1\r\nHost: h\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: h\r\nX: a\nGET /hidden HTTP/1.1\r\nHost: h\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1;x\n\r\nGET /hidden HTTP/1.1\r\nHost: h\r\n\r\n0\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nZ\r\nQ\r\n\r\nGET /hidden HTTP/1.1\r\nHost: h\r\n\r\n",
	"POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabcGET /hidden HTTP/1.1\r\nHost: h\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0, 5\r\n\r\nhello",
	"GET /a HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\nConnection: Content-Length, Host\r\nContent-Length: 2\r\n\r\nok",
	"HEAD / HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n",
	"GET /a HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n",
	"GET http://h/a HTTP/1.1\r\nHost: other\r\n\r\n", "\r\n\r\nGET /a HTTP/1.1\r\nHost: h\r\n\r\n",
}

// answersTo sends the text over one connection and counts the answers that come
// from the target.
func answersTo(t *testing.T, port uint16, text string) (fromTarget int, whole bool) {
	t.Helper()
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.1.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	_, _ = io.WriteString(conn, text)
	_ = conn.(*net.TCPConn).CloseWrite()
	all, err := io.ReadAll(conn)
	method, _, _ := strings.Cut(text, " ") // of the first request: answers to HEAD have no body
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

func TestTheTargetSeesNoRequestThatTheClientGetsNoAnswerFor(t *testing.T) {
	w := &witness{}
	s := httptest.NewServer(w)
	t.Cleanup(s.Close)
	for _, mode := range []string{"monitor", "defensive", "strictest"} {
		port := serve(
			t,
			balancertest.Target("witness", s.Listener.Addr()),
			func(lb *balancer.LoadBalancer) { lb.Desync, lb.IdleTimeout = mode, time.Second },
		)
		for _, text := range smuggled {
			answered, whole := answersTo(t, port, text)
			seen := w.take()
			if whole && answered != len(seen) {
				t.Errorf("%s: %q: the target saw %v, the client got %d answers", mode, text, seen, answered)
			}
			for _, request := range seen {
				if strings.HasSuffix(request, "/hidden") && mode != "monitor" &&
					!strings.Contains(text, "\r\n\r\nGET /hidden") {
					t.Errorf("%s: %q: %s", mode, text, request)
				}
			}
		}
	}
}
