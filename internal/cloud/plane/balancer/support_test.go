package balancer

import (
	"context"
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
)

func testLog(t *testing.T) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func newEngine(t *testing.T) *Engine {
	t.Helper()
	return newEngineOf(t, 2)
}

func newEngineOf(t *testing.T, loops int) *Engine {
	t.Helper()
	e, err := NewEngine(testLog(t), Loops{Number: loops})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

// backend is a real server that tells its name.
type backend struct {
	*httptest.Server
	name string
}

func newBackend(t *testing.T, name string, handler http.HandlerFunc) backend {
	t.Helper()
	if handler == nil {
		handler = func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, name) }
	}
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return backend{s, name}
}

func (b backend) target() Target {
	at := netip.MustParseAddrPort(b.Listener.Addr().String())
	return Target{ID: b.name, Address: at.Addr(), Port: at.Port()}
}

// freePort finds a port that is free on the loopback addresses of the tests. It
// is outside the range from which the kernel takes the ports of outgoing
// connections.
func freePort(t *testing.T) uint16 {
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

var quickCheck = HealthCheck{
	Path: "/", Interval: 50 * time.Millisecond, Timeout: 40 * time.Millisecond,
	HealthyThreshold: 2, UnhealthyThreshold: 2, Matcher: Matcher{{200, 200}},
}

const dnsName = "web-1.us-east-1.elb.localhost"

// oneGroup is a load balancer with n nodes, at 127.0.1.1 and on, that sends all
// to one group.
func oneGroup(port uint16, n int, targets ...Target) Config {
	lb := LoadBalancer{
		ARN: "arn:lb", DNSName: dnsName, IdleTimeout: 2 * time.Second, ForwardedFor: "append",
		Listeners: []Listener{{ARN: "arn:l", Port: port, Action: Action{Forward: []Share{{"arn:tg", 1}}}}},
	}
	for i := range n {
		at := netip.AddrFrom4([4]byte{127, 0, 1, byte(i + 1)})
		lb.Nodes = append(
			lb.Nodes,
			Node{ID: fmt.Sprintf("eni-%d", i), Zone: fmt.Sprintf("zone-%d", i), Address: at, Public: at},
		)
	}
	return Config{
		LoadBalancers: []LoadBalancer{lb},
		TargetGroups:  []TargetGroup{{ARN: "arn:tg", Check: quickCheck, Targets: targets}},
	}
}

// until waits for a status that is as wanted.
func until(t *testing.T, e *Engine, what string, ok func(Status) bool) Status {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for {
		changed := e.Changed()
		s := e.Status()
		if ok(s) {
			return s
		}
		select {
		case <-changed:
		case <-ctx.Done():
			t.Fatalf("%s: never came true; last %+v", what, s)
		}
	}
}

func allAre(state string) func(Status) bool {
	return func(s Status) bool {
		for _, target := range s.Targets {
			if target.State != state {
				return false
			}
		}
		return len(s.Targets) > 0
	}
}

// get asks the load balancer's node, over a connection of its own.
func get(t *testing.T, address string, port uint16, headers ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(
		t.Context(),
		http.MethodGet,
		fmt.Sprintf("http://%s:%d/some/path?a=1;b", address, port),
		nil,
	)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = fmt.Sprintf("%s:%d", dnsName, port)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
	}
	transport := &http.Transport{DisableKeepAlives: true}
	answer, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatalf("get: %v", err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, strings.TrimSpace(string(body))
}
