package balancer

import (
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestRequestsGoToTheTargetsInTurn(t *testing.T) {
	a, b, c := newBackend(t, "a", nil), newBackend(t, "b", nil), newBackend(t, "c", nil)
	e, port := newEngine(t), freePort(t)
	e.Set(oneGroup(port, 3, a.target(), b.target(), c.target()))
	until(t, e, "all healthy", allAre("healthy"))
	count := map[string]int{}
	for range 300 {
		_, body := get(t, "127.0.0.1", port) // through the loopback front
		count[body]++
	}
	for _, name := range []string{"a", "b", "c"} {
		if count[name] < 80 || count[name] > 120 {
			t.Errorf("spread %v", count)
		}
	}
}

func TestTargetsSeeWhoAskedAndHow(t *testing.T) {
	seen := make(chan *http.Request, 10)
	b := newBackend(t, "b", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("User-Agent") != "ELB-HealthChecker/2.0" {
			seen <- r
		}
	})
	e, port := newEngine(t), freePort(t)
	with := func(change func(*LoadBalancer)) {
		conf := oneGroup(port, 1, b.target())
		change(&conf.LoadBalancers[0])
		e.Set(conf)
	}
	with(func(*LoadBalancer) {})
	until(t, e, "healthy", allAre("healthy"))

	get(
		t,
		"127.0.1.1",
		port,
		"X-Forwarded-For",
		"10.9.9.9",
		"X-Amzn-Trace-Id",
		"Root=1-67891233-abcdef012345678912345678",
		"Connection",
		"X-Secret",
		"X-Secret",
		"1",
	)
	r := <-seen
	if got := r.Header.Get("X-Forwarded-For"); got != "10.9.9.9, 127.0.0.1" {
		t.Errorf("X-Forwarded-For %q", got)
	}
	if r.Header.Get("X-Forwarded-Proto") != "http" || r.Header.Get("X-Forwarded-Port") != strconv.Itoa(int(port)) {
		t.Errorf("headers %v", r.Header)
	}
	trace := r.Header.Get("X-Amzn-Trace-Id")
	if !strings.HasPrefix(trace, "Self=1-") || !strings.HasSuffix(trace, ";Root=1-67891233-abcdef012345678912345678") {
		t.Errorf("X-Amzn-Trace-Id %q", trace)
	}
	if r.Header.Get("X-Secret") != "" || r.Host != fmt.Sprintf("%s:%d", dnsName, port) || r.URL.RawQuery != "a=1;b" {
		t.Errorf("request %v %v %v", r.Host, r.URL, r.Header)
	}
	if peer, _, _ := net.SplitHostPort(r.RemoteAddr); peer != "127.0.1.1" {
		t.Errorf("the target's peer is %s, not the node", r.RemoteAddr)
	}

	with(func(lb *LoadBalancer) { lb.DropInvalid = true })
	get(t, "127.0.1.1", port, "X_Odd", "1", "X-Even", "2")
	if r := <-seen; r.Header.Get("X_Odd") != "" || r.Header.Get("X-Even") != "2" {
		t.Errorf("headers %v", r.Header)
	}

	for _, c := range []struct {
		mode      string
		port      bool
		forwarded string
	}{{"preserve", false, "10.9.9.9"}, {"remove", false, ""}, {"append", true, "10.9.9.9, 127.0.0.1:"}} {
		with(func(lb *LoadBalancer) { lb.ForwardedFor, lb.ForwardedPort = c.mode, c.port })
		get(t, "127.0.1.1", port, "X-Forwarded-For", "10.9.9.9")
		r := <-seen
		if got := r.Header.Get("X-Forwarded-For"); got != c.forwarded &&
			(!c.port || !strings.HasPrefix(got, c.forwarded)) {
			t.Errorf("%s: X-Forwarded-For %q", c.mode, got)
		}
		if !strings.HasPrefix(r.Header.Get("X-Amzn-Trace-Id"), "Root=1-") {
			t.Errorf("trace %q", r.Header.Get("X-Amzn-Trace-Id"))
		}
	}
}

func TestTheLoadBalancersOwnAnswersAreAWSs(t *testing.T) {
	page := func(title string) string {
		return "<html>\r\n<head><title>" + title + "</title></head>\r\n<body>\r\n<center><h1>" + title + "</h1></center>\r\n</body>\r\n</html>"
	}
	refusing := Target{ID: "refusing", Address: newBackend(t, "x", nil).target().Address, Port: freePort(t)}
	hanging := newBackend(t, "hanging", func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			<-r.Context().Done()
		}
	})
	torn := newBackend(t, "torn", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			panic(http.ErrAbortHandler)
		}
	})
	for _, c := range []struct {
		name   string
		target []Target
		code   int
		title  string
	}{
		{"no target", nil, 503, "503 Service Temporarily Unavailable"},
		{"a target that refuses", []Target{refusing}, 502, "502 Bad Gateway"},
		{"a target that closes without an answer", []Target{torn.target()}, 502, "502 Bad Gateway"},
		{"a target that is silent for the idle time-out", []Target{hanging.target()}, 504, "504 Gateway Time-out"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, port := newEngine(t), freePort(t)
			e.Set(oneGroup(port, 1, c.target...))
			answer, body := get(t, "127.0.1.1", port)
			if answer.StatusCode != c.code || body != page(c.title) || answer.Header.Get("Server") != "awselb/2.0" ||
				answer.Header.Get("Content-Type") != "text/html" {
				t.Errorf("%d %v %q", answer.StatusCode, answer.Header, body)
			}
		})
	}
}

func TestUnhealthyTargetsGetNothingUnlessAllAre(t *testing.T) {
	ill := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}
	a, b := newBackend(t, "a", ill), newBackend(t, "b", nil)
	e, port := newEngine(t), freePort(t)
	e.Set(oneGroup(port, 1, a.target(), b.target()))
	s := until(
		t,
		e,
		"a is judged",
		func(s Status) bool { return s.Targets[0].State == "unhealthy" && s.Targets[1].State == "healthy" },
	)
	if s.Targets[0].Description != "Health checks failed with these codes: [500]" {
		t.Errorf("%+v", s.Targets[0])
	}
	for range 10 {
		if _, body := get(t, "127.0.1.1", port); body != "b" {
			t.Fatalf("answered by %q", body)
		}
	}
	e.Set(oneGroup(port, 1, a.target()))
	if answer, _ := get(t, "127.0.1.1", port); answer.StatusCode != http.StatusOK {
		t.Errorf("did not fail open: %d", answer.StatusCode)
	}
}

func TestFixedResponsesAndRedirectsNeedNoTarget(t *testing.T) {
	e, port := newEngine(t), freePort(t)
	with := func(a Action) {
		conf := oneGroup(port, 1)
		conf.LoadBalancers[0].Listeners[0].Action = a
		e.Set(conf)
	}
	with(Action{FixedResponse: &FixedResponse{Code: 418, ContentType: "text/plain", Body: "teapot"}})
	answer, body := get(t, "127.0.1.1", port)
	if answer.StatusCode != 418 || body != "teapot" ||
		answer.Header.Get("Content-Type") != "text/plain; charset=utf-8" {
		t.Errorf("%d %q %v", answer.StatusCode, body, answer.Header)
	}
	with(
		Action{
			Redirect: &Redirect{
				Protocol: "HTTPS",
				Host:     "#{host}",
				Port:     "443",
				Path:     "/new/#{path}",
				Query:    "#{query}",
				Code:     301,
			},
		},
	)
	answer, body = get(t, "127.0.1.1", port)
	if answer.StatusCode != 301 || answer.Header.Get("Location") != "https://"+dnsName+":443/new/some/path?a=1;b" ||
		!strings.Contains(body, "301 Moved Permanently") {
		t.Errorf("%d %q %v", answer.StatusCode, body, answer.Header)
	}
}

func TestTheFrontNamesTheLoadBalancersItKnows(t *testing.T) {
	e, port := newEngine(t), freePort(t)
	e.Set(oneGroup(port, 1))
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, _ = fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: other.localhost:%d\r\n\r\n", port)
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	buf := make([]byte, 4096)
	n, _ := conn.Read(buf)
	if got := string(buf[:n]); !strings.HasPrefix(got, "HTTP/1.1 404 ") || !strings.Contains(got, "http://"+dnsName) {
		t.Errorf("%q", got)
	}
}

func TestAPortThatIsTakenIsReportedAndTriedAgain(t *testing.T) {
	taken, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := net.SplitHostPort(taken.Addr().String())
	port, _ := strconv.ParseUint(text, 10, 16)
	e := newEngine(t)
	e.Set(oneGroup(uint16(port), 1))
	s := e.Status()
	if len(s.Fronts) != 1 || !strings.Contains(s.Fronts[0].Error, "address already in use") || s.Nodes[0].Error != "" {
		t.Errorf("%+v", s)
	}
	if err := taken.Close(); err != nil {
		t.Fatal(err)
	}
	until(t, e, "the front is open", func(s Status) bool { return s.Fronts[0].Error == "" })
}
