//go:build linux

package engine

import (
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/balancertest"
)

func TestTargetsTakeTurns(t *testing.T) {
	var targets []balancer.Target
	for _, name := range []string{"a", "b", "c"} {
		targets = append(targets, balancertest.Backend(t, name, nil))
	}
	e, port := newEngine(t), balancertest.FreePort(t)
	e.Set(balancertest.OneGroup(port, 3, targets...))
	waitHealthy(t, e)
	count := map[string]int{}
	for range 300 {
		_, body := balancertest.Get(t, "127.0.0.1", port) // through the loopback front
		count[body]++
	}
	for _, name := range []string{"a", "b", "c"} {
		if count[name] < 80 || count[name] > 120 {
			t.Errorf("requests by target: %v", count)
		}
	}
}

// recordingTarget starts a target that sends the requests it gets, except health
// checks.
func recordingTarget(t *testing.T) (balancer.Target, <-chan *http.Request) {
	t.Helper()
	seen := make(chan *http.Request, 10)
	target := balancertest.Backend(t, "b", func(_ http.ResponseWriter, r *http.Request) {
		if r.Header.Get("User-Agent") != "ELB-HealthChecker/2.0" {
			seen <- r
		}
	})
	return target, seen
}

func TestTargetsGetForwardedHeaders(t *testing.T) {
	target, seen := recordingTarget(t)
	e, port := newEngine(t), balancertest.FreePort(t)
	e.Set(balancertest.OneGroup(port, 1, target))
	waitHealthy(t, e)
	balancertest.Get(t, "127.0.1.1", port, "X-Forwarded-For", "10.9.9.9",
		"X-Amzn-Trace-Id", "Root=1-67891233-abcdef012345678912345678", "Connection", "X-Secret", "X-Secret", "1")
	r := <-seen
	if got := r.Header.Get("X-Forwarded-For"); got != "10.9.9.9, 127.0.0.1" {
		t.Errorf("X-Forwarded-For %q", got)
	}
	if r.Header.Get("X-Forwarded-Proto") != "http" || r.Header.Get("X-Forwarded-Port") != strconv.Itoa(int(port)) {
		t.Errorf("header %v", r.Header)
	}
	trace := r.Header.Get("X-Amzn-Trace-Id")
	if !strings.HasPrefix(trace, "Self=1-") || !strings.HasSuffix(trace, ";Root=1-67891233-abcdef012345678912345678") {
		t.Errorf("X-Amzn-Trace-Id %q", trace)
	}
	host := fmt.Sprintf("%s:%d", balancertest.DNSName, port)
	if r.Header.Get("X-Secret") != "" || r.Host != host || r.URL.RawQuery != "a=1;b" {
		t.Errorf("request %v %v %v", r.Host, r.URL, r.Header)
	}
	if peer, _, _ := net.SplitHostPort(r.RemoteAddr); peer != "127.0.1.1" {
		t.Errorf("the target's peer is %s, not the node", r.RemoteAddr)
	}
}

func TestAttributesChangeTheHeadersOfRequests(t *testing.T) {
	target, seen := recordingTarget(t)
	e, port := newEngine(t), balancertest.FreePort(t)
	set := func(change func(*balancer.LoadBalancer)) {
		conf := balancertest.OneGroup(port, 1, target)
		change(&conf.LoadBalancers[0])
		e.Set(conf)
	}
	set(func(lb *balancer.LoadBalancer) { lb.DropInvalid = true })
	waitHealthy(t, e)
	balancertest.Get(t, "127.0.1.1", port, "X_Odd", "1", "X-Even", "2")
	if r := <-seen; r.Header.Get("X_Odd") != "" || r.Header.Get("X-Even") != "2" {
		t.Errorf("header %v", r.Header)
	}
	for _, c := range []struct {
		mode      string
		port      bool
		forwarded string
	}{{"preserve", false, "10.9.9.9"}, {"remove", false, ""}, {"append", true, "10.9.9.9, 127.0.0.1:"}} {
		set(func(lb *balancer.LoadBalancer) { lb.ForwardedFor, lb.ForwardedPort = c.mode, c.port })
		balancertest.Get(t, "127.0.1.1", port, "X-Forwarded-For", "10.9.9.9")
		r := <-seen
		got := r.Header.Get("X-Forwarded-For")
		if got != c.forwarded && (!c.port || !strings.HasPrefix(got, c.forwarded)) {
			t.Errorf("%s: X-Forwarded-For %q", c.mode, got)
		}
		if !strings.HasPrefix(r.Header.Get("X-Amzn-Trace-Id"), "Root=1-") {
			t.Errorf("X-Amzn-Trace-Id %q", r.Header.Get("X-Amzn-Trace-Id"))
		}
	}
}

func TestErrorPagesAreAWSs(t *testing.T) {
	page := func(title string) string {
		return "<html>\r\n<head><title>" + title + "</title></head>\r\n<body>\r\n<center><h1>" + title +
			"</h1></center>\r\n</body>\r\n</html>"
	}
	refusing := balancertest.Backend(t, "refusing", nil)
	refusing.Port = balancertest.FreePort(t)
	hanging := balancertest.Backend(t, "hanging", func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			<-r.Context().Done()
		}
	})
	torn := balancertest.Backend(t, "torn", func(_ http.ResponseWriter, r *http.Request) {
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
		{"a target that closes without a response", []balancer.Target{torn}, 502, "502 Bad Gateway"},
		{"a target that is silent for the idle timeout", []balancer.Target{hanging}, 504, "504 Gateway Time-out"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, port := newEngine(t), balancertest.FreePort(t)
			e.Set(balancertest.OneGroup(port, 1, c.target...))
			resp, body := balancertest.Get(t, "127.0.1.1", port)
			if resp.StatusCode != c.code || body != page(c.title) || resp.Header.Get("Server") != "awselb/2.0" ||
				resp.Header.Get("Content-Type") != "text/html" {
				t.Errorf("%d %v %q", resp.StatusCode, resp.Header, body)
			}
		})
	}
}

// failing responds to health checks with 500.
func failing(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/" {
		w.WriteHeader(http.StatusInternalServerError)
	}
}

func TestUnhealthyTargetsGetNoRequestsUnlessAllAreUnhealthy(t *testing.T) {
	a, b := balancertest.Backend(t, "a", failing), balancertest.Backend(t, "b", nil)
	e, port := newEngine(t), balancertest.FreePort(t)
	e.Set(balancertest.OneGroup(port, 1, a, b))
	s := waitStatus(t, e, "a is unhealthy and b is healthy", func(s balancer.Status) bool {
		return s.Targets[0].State == "unhealthy" && s.Targets[1].State == "healthy"
	})
	if s.Targets[0].Description != "Health checks failed with these codes: [500]" {
		t.Errorf("%+v", s.Targets[0])
	}
	for range 10 {
		if _, body := balancertest.Get(t, "127.0.1.1", port); body != "b" {
			t.Fatalf("target %q responded", body)
		}
	}
	e.Set(balancertest.OneGroup(port, 1, a))
	if resp, _ := balancertest.Get(t, "127.0.1.1", port); resp.StatusCode != http.StatusOK {
		t.Errorf("it did not fail open: %d", resp.StatusCode)
	}
}

func TestNodeFailsOverWithOneOfItsListeners(t *testing.T) {
	a, b := balancertest.Backend(t, "a", failing), balancertest.Backend(t, "b", nil)
	e, port := newEngine(t), balancertest.FreePort(t)
	conf := balancertest.OneGroup(port, 1, b)
	conf.TargetGroups[0].Failover = balancer.Minimum{Count: 1}
	conf.TargetGroups = append(conf.TargetGroups, balancer.TargetGroup{
		ARN: "arn:a", Check: balancertest.Check, Targets: []balancer.Target{a}, Failover: balancer.Minimum{Count: 1},
	})
	second := balancer.Listener{ARN: "arn:l2", Port: balancertest.FreePort(t), Action: balancertest.Forward("arn:a")}
	listeners := conf.LoadBalancers[0].Listeners
	conf.LoadBalancers[0].Listeners = append(listeners, second)
	e.Set(conf)
	waitStatus(t, e, "the node has failed over", func(s balancer.Status) bool {
		return s.Targets[0].State == "unhealthy" && s.Targets[1].State == "healthy" && s.Nodes[0].FailedOver
	})
	conf.LoadBalancers[0].Listeners = listeners
	e.Set(conf)
	if e.Status().Nodes[0].FailedOver {
		t.Error("it has failed over although its only listener has a healthy target")
	}
}

func TestFixedResponsesAndRedirectsNeedNoTarget(t *testing.T) {
	e, port := newEngine(t), balancertest.FreePort(t)
	set := func(a balancer.Action) {
		conf := balancertest.OneGroup(port, 1)
		conf.LoadBalancers[0].Listeners[0].Action = a
		e.Set(conf)
	}
	set(balancertest.Fixed(418, "teapot"))
	resp, body := balancertest.Get(t, "127.0.1.1", port)
	if resp.StatusCode != 418 || body != "teapot" || resp.Header.Get("Content-Type") != "text/plain; charset=utf-8" {
		t.Errorf("%d %q %v", resp.StatusCode, body, resp.Header)
	}
	set(balancer.Action{Redirect: &balancer.Redirect{
		Protocol: "HTTPS", Host: "#{host}", Port: "443", Path: "/new/#{path}", Query: "#{query}", Code: 301,
	}})
	resp, body = balancertest.Get(t, "127.0.1.1", port)
	location := "https://" + balancertest.DNSName + ":443/new/some/path?a=1;b"
	if resp.StatusCode != 301 || resp.Header.Get("Location") != location ||
		!strings.Contains(body, "301 Moved Permanently") {
		t.Errorf("%d %q %v", resp.StatusCode, body, resp.Header)
	}
}

func TestOccupiedPortIsReportedAndTriedAgain(t *testing.T) {
	other, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := net.SplitHostPort(other.Addr().String())
	port, _ := strconv.ParseUint(text, 10, 16)
	e := newEngine(t)
	e.Set(balancertest.OneGroup(uint16(port), 1))
	s := e.Status()
	if len(s.Fronts) != 1 || !strings.Contains(s.Fronts[0].Error, "address already in use") || s.Nodes[0].Error != "" {
		t.Errorf("%+v", s)
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	waitStatus(t, e, "the port is open", func(s balancer.Status) bool { return s.Fronts[0].Error == "" })
}
