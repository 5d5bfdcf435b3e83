//go:build linux

// Package balancertest has backends, configurations and requests for tests of load
// balancers on the loopback.
package balancertest

import (
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
)

// DNSName is the name of the load balancer that OneGroup configures.
const DNSName = "web-1.us-east-1.elb.localhost"

// Log returns a logger that writes to the test's output.
func Log(t *testing.T) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// Backend starts an HTTP server and returns it as a target. A nil handler responds with
// the target's ID.
func Backend(t *testing.T, id string, handler http.HandlerFunc) balancer.Target {
	t.Helper()
	if handler == nil {
		handler = func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, id) }
	}
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return Target(id, s.Listener.Addr())
}

// Target returns the target that listens at the address.
func Target(id string, at net.Addr) balancer.Target {
	addr := netip.MustParseAddrPort(at.String())
	return balancer.Target{ID: id, Address: addr.Addr(), Port: addr.Port()}
}

// FreePort returns a port that is free on the loopback addresses of the tests. It is
// outside the range from which the kernel takes ports of outgoing connections.
func FreePort(t testing.TB) uint16 {
	t.Helper()
	for range 100 {
		port := uint16(10000 + rand.IntN(20000))
		free := true
		for _, host := range []string{"127.0.0.1", "127.0.1.1", "127.0.1.2", "127.0.1.3"} {
			l, err := net.Listen("tcp", netip.AddrPortFrom(netip.MustParseAddr(host), port).String())
			if err != nil {
				free = false
				break
			}
			_ = l.Close()
		}
		if free {
			return port
		}
	}
	t.Fatal("no free port")
	return 0
}

// Check is a health check that decides fast.
var Check = balancer.HealthCheck{
	Path: "/", Interval: 50 * time.Millisecond, Timeout: 40 * time.Millisecond,
	HealthyThreshold: 2, UnhealthyThreshold: 2, Matcher: balancer.Matcher{{First: 200, Last: 200}},
}

// OneGroup configures a load balancer with n nodes, at 127.0.1.1 and on, that forwards
// everything to one target group.
func OneGroup(port uint16, n int, targets ...balancer.Target) balancer.Config {
	lb := balancer.LoadBalancer{
		ARN: "arn:lb", DNSName: DNSName, IdleTimeout: 2 * time.Second, ForwardedFor: "append",
		Listeners: []balancer.Listener{{ARN: "arn:l", Port: port, Action: Forward("arn:tg")}},
	}
	for i := range n {
		at := netip.AddrFrom4([4]byte{127, 0, 1, byte(i + 1)})
		node := balancer.Node{ID: fmt.Sprintf("eni-%d", i), Zone: fmt.Sprintf("zone-%d", i), Address: at, Public: at}
		lb.Nodes = append(lb.Nodes, node)
	}
	return balancer.Config{
		LoadBalancers: []balancer.LoadBalancer{lb},
		TargetGroups:  []balancer.TargetGroup{{ARN: "arn:tg", Check: Check, Targets: targets}},
	}
}

// Forward returns an action that forwards to the target groups with equal weights.
func Forward(arns ...string) balancer.Action {
	var a balancer.Action
	for _, arn := range arns {
		a.Forward = append(a.Forward, balancer.Share{TargetGroup: arn, Weight: 1})
	}
	return a
}

// Fixed returns an action that responds with plain text.
func Fixed(code int, body string) balancer.Action {
	return balancer.Action{
		FixedResponse: &balancer.FixedResponse{Code: code, ContentType: "text/plain", Body: body},
	}
}

// OnPath returns a rule for requests with a path like the pattern.
func OnPath(priority int, pattern string, action balancer.Action) balancer.Rule {
	condition := balancer.Condition{Field: "path-pattern", Values: []string{pattern}}
	return balancer.Rule{
		ARN:        fmt.Sprint("r", priority),
		Priority:   priority,
		Conditions: []balancer.Condition{condition},
		Action:     action,
	}
}

// TargetsAre returns a function that reports whether all targets in a status have the
// state, and there are targets.
func TargetsAre(state string) func(balancer.Status) bool {
	return func(s balancer.Status) bool {
		for _, target := range s.Targets {
			if target.State != state {
				return false
			}
		}
		return len(s.Targets) > 0
	}
}

// Get sends a request with the header, names and values in turn, over a new connection
// to the address. It returns the response and its body.
func Get(t *testing.T, address string, port uint16, header ...string) (*http.Response, string) {
	t.Helper()
	url := fmt.Sprintf("http://%s:%d/some/path?a=1;b", address, port)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = fmt.Sprintf("%s:%d", DNSName, port)
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	transport := &http.Transport{DisableKeepAlives: true}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatalf("get: %v", err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, strings.TrimSpace(string(body))
}
