package engine

import (
	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/balancertest"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestRequestsGoToTheTargetsInTurn(t *testing.T) {
	a, b, c := balancertest.Backend(t, "a", nil), balancertest.Backend(t, "b", nil), balancertest.Backend(t, "c", nil)
	e, port := newEngine(t), balancertest.FreePort(t)
	e.Set(balancertest.OneGroup(port, 3, a, b, c))
	waitHealthy(t, e)
	count := map[string]int{}
	for range 300 {
		_, body := balancertest.Get(t, "127.0.0.1", port) // through the loopback front
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
	b := balancertest.Backend(t, "b", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("User-Agent") != "ELB-HealthChecker/2.0" {
			seen <- r
		}
	})
	e, port := newEngine(t), balancertest.FreePort(t)
	with := func(change func(*balancer.LoadBalancer)) {
		conf := balancertest.OneGroup(port, 1, b)
		change(&conf.LoadBalancers[0])
		e.Set(conf)
	}
	with(func(*balancer.LoadBalancer) {})
	waitHealthy(t, e)

	balancertest.Get(
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
	if r.Header.Get("X-Secret") != "" || r.Host != fmt.Sprintf("%s:%d", balancertest.DNSName, port) || r.URL.RawQuery != "a=1;b" {
		t.Errorf("request %v %v %v", r.Host, r.URL, r.Header)
	}
	if peer, _, _ := net.SplitHostPort(r.RemoteAddr); peer != "127.0.1.1" {
		t.Errorf("the target's peer is %s, not the node", r.RemoteAddr)
	}

	with(func(lb *balancer.LoadBalancer) { lb.DropInvalid = true })
	balancertest.Get(t, "127.0.1.1", port, "X_Odd", "1", "X-Even", "2")
	if r := <-seen; r.Header.Get("X_Odd") != "" || r.Header.Get("X-Even") != "2" {
		t.Errorf("headers %v", r.Header)
	}

	for _, c := range []struct {
		mode      string
		port      bool
		forwarded string
	}{{"preserve", false, "10.9.9.9"}, {"remove", false, ""}, {"append", true, "10.9.9.9, 127.0.0.1:"}} {
		with(func(lb *balancer.LoadBalancer) { lb.ForwardedFor, lb.ForwardedPort = c.mode, c.port })
		balancertest.Get(t, "127.0.1.1", port, "X-Forwarded-For", "10.9.9.9")
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
	refusing := balancer.Target{ID: "refusing", Address: balancertest.Backend(t, "x", nil).Address, Port: balancertest.FreePort(t)}
	hanging := balancertest.Backend(t, "hanging", func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			<-r.Context().Done()
		}
	})
	torn := balancertest.Backend(t, "torn", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			panic(http.ErrAbortHandler)
		}
	})
	for _, c := range []struct {
		name   string
		target []balancer.Target
		code   int
		title  string
	}{
		{"no target", nil, 503, "503 Service Temporarily Unavailable"},
		{"a target that refuses", []balancer.Target{refusing}, 502, "502 Bad Gateway"},
		{"a target that closes without an answer", []balancer.Target{torn}, 502, "502 Bad Gateway"},
		{"a target that is silent for the idle time-out", []balancer.Target{hanging}, 504, "504 Gateway Time-out"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, port := newEngine(t), balancertest.FreePort(t)
			e.Set(balancertest.OneGroup(port, 1, c.target...))
			answer, body := balancertest.Get(t, "127.0.1.1", port)
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
	a, b := balancertest.Backend(t, "a", ill), balancertest.Backend(t, "b", nil)
	e, port := newEngine(t), balancertest.FreePort(t)
	e.Set(balancertest.OneGroup(port, 1, a, b))
	s := waitStatus(
		t,
		e,
		"a is judged",
		func(s balancer.Status) bool {
			return s.Targets[0].State == "unhealthy" && s.Targets[1].State == "healthy"
		},
	)
	if s.Targets[0].Description != "Health checks failed with these codes: [500]" {
		t.Errorf("%+v", s.Targets[0])
	}
	for range 10 {
		if _, body := balancertest.Get(t, "127.0.1.1", port); body != "b" {
			t.Fatalf("answered by %q", body)
		}
	}
	e.Set(balancertest.OneGroup(port, 1, a))
	if answer, _ := balancertest.Get(t, "127.0.1.1", port); answer.StatusCode != http.StatusOK {
		t.Errorf("did not fail open: %d", answer.StatusCode)
	}
}

func TestFixedResponsesAndRedirectsNeedNoTarget(t *testing.T) {
	e, port := newEngine(t), balancertest.FreePort(t)
	with := func(a balancer.Action) {
		conf := balancertest.OneGroup(port, 1)
		conf.LoadBalancers[0].Listeners[0].Action = a
		e.Set(conf)
	}
	with(balancer.Action{FixedResponse: &balancer.FixedResponse{Code: 418, ContentType: "text/plain", Body: "teapot"}})
	answer, body := balancertest.Get(t, "127.0.1.1", port)
	if answer.StatusCode != 418 || body != "teapot" ||
		answer.Header.Get("Content-Type") != "text/plain; charset=utf-8" {
		t.Errorf("%d %q %v", answer.StatusCode, body, answer.Header)
	}
	with(
		balancer.Action{
			Redirect: &balancer.Redirect{
				Protocol: "HTTPS",
				Host:     "#{host}",
				Port:     "443",
				Path:     "/new/#{path}",
				Query:    "#{query}",
				Code:     301,
			},
		},
	)
	answer, body = balancertest.Get(t, "127.0.1.1", port)
	if answer.StatusCode != 301 || answer.Header.Get("Location") != "https://"+balancertest.DNSName+":443/new/some/path?a=1;b" ||
		!strings.Contains(body, "301 Moved Permanently") {
		t.Errorf("%d %q %v", answer.StatusCode, body, answer.Header)
	}
}

func TestTheFrontNamesTheLoadBalancersItKnows(t *testing.T) {
	e, port := newEngine(t), balancertest.FreePort(t)
	e.Set(balancertest.OneGroup(port, 1))
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, _ = fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: other.localhost:%d\r\n\r\n", port)
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	buf := make([]byte, 4096)
	n, _ := conn.Read(buf)
	if got := string(buf[:n]); !strings.HasPrefix(got, "HTTP/1.1 404 ") || !strings.Contains(got, "http://"+balancertest.DNSName) {
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
	e.Set(balancertest.OneGroup(uint16(port), 1))
	s := e.Status()
	if len(s.Fronts) != 1 || !strings.Contains(s.Fronts[0].Error, "address already in use") || s.Nodes[0].Error != "" {
		t.Errorf("%+v", s)
	}
	if err := taken.Close(); err != nil {
		t.Fatal(err)
	}
	waitStatus(t, e, "the front is open", func(s balancer.Status) bool { return s.Fronts[0].Error == "" })
}
