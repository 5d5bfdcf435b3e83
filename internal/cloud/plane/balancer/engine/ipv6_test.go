//go:build linux

package engine

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/balancertest"
)

// listenIPv6 listens at the loopback of IPv6, or skips the test on a host without it.
func listenIPv6(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Skipf("not tested: targets and clients of IPv6, which the host does not have: %v", err)
	}
	return l
}

// A node relays the connections of clients of one family, where the kernel forwards those of the
// other.
func TestNodeRelaysBetweenFamilies(t *testing.T) {
	front := listenIPv6(t)
	port := netip.MustParseAddrPort(front.Addr().String()).Port()
	_ = front.Close()
	conf := balancertest.OneGroup(port, 1, speaker(t, "a"))
	lb, node := &conf.LoadBalancers[0], conf.LoadBalancers[0].Nodes[0]
	node.IPv6, node.Public = netip.IPv6Loopback(), netip.Addr{}
	lb.Nodes = []balancer.Node{node}
	l := &lb.Listeners[0]
	l.Forwards, l.Relays, l.Opaque = []string{"tcp"}, balancer.OverIPv6, true
	conf.TargetGroups[0].Flows.Impersonate = true // the address of a client of the other family cannot be kept
	e := newEngine(t)
	e.Set(conf)
	waitHealthy(t, e)
	if conn, err := net.Dial("tcp4", netip.AddrPortFrom(node.Address, port).String()); err == nil {
		t.Error("the node accepts a connection that the kernel forwards")
		_ = conn.Close()
	}
	conn, err := net.Dial("tcp6", netip.AddrPortFrom(node.IPv6, port).String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if got := greet(t, conn); got != "a heard hello, this is\n" {
		t.Errorf("the target answers %q", got)
	}
	if got := e.Counters().Nodes[0].TCPFlows; got != 1 {
		t.Errorf("%d flows are open", got)
	}
	_, _ = io.WriteString(conn, "12345")
	_ = conn.(*net.TCPConn).CloseWrite()
	if rest, err := io.ReadAll(conn); err != nil || string(rest) != "12345\n5 bytes" {
		t.Errorf("the target answers %q, %v", rest, err)
	}
	waitFor(t, "the connection has ended", func() bool { return e.Counters().Nodes[0].TCPFlows == 0 })
	if sums := e.Counters().Nodes[0].Sums; sums["NewFlowCount_TCP"] != 1 || sums["ProcessedBytes_TCP"] < 40 {
		t.Errorf("counts are %v", sums)
	}
}

// A dualstack node serves at both of its addresses, and reaches each target from the one of its
// family.
func TestDualstackNode(t *testing.T) {
	answer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from, _, _ := net.SplitHostPort(r.RemoteAddr)
		_, _ = fmt.Fprintf(w, "%s for %s at %s", from, r.Header.Get("X-Forwarded-For"), r.Host)
	})
	s := &httptest.Server{Listener: listenIPv6(t), Config: &http.Server{Handler: answer}}
	s.Start()
	t.Cleanup(s.Close)
	front := listenIPv6(t)
	port := netip.MustParseAddrPort(front.Addr().String()).Port()
	_ = front.Close()

	c := balancertest.OneGroup(port, 1, balancertest.Target("six", s.Listener.Addr()))
	c.TargetGroups = append(c.TargetGroups, balancer.TargetGroup{
		ARN: "arn:v4", Check: balancertest.Check, Targets: []balancer.Target{balancertest.Backend(t, "four", answer)},
	})
	lb := &c.LoadBalancers[0]
	lb.Listeners[0].Rules = []balancer.Rule{
		balancertest.OnPath(1, "/four", balancertest.Forward("arn:v4")),
		balancertest.OnPath(2, "/away", balancer.Action{Redirect: &balancer.Redirect{
			Protocol: "HTTPS", Host: "#{host}", Port: "443", Path: "/", Code: 301,
		}}),
	}
	dual := func(ipv6 netip.Addr) balancer.Config {
		changed := c
		changed.LoadBalancers = []balancer.LoadBalancer{*lb}
		node := lb.Nodes[0]
		node.IPv6, node.Public = ipv6, netip.Addr{} // without the front, which is at ::1
		changed.LoadBalancers[0].Nodes = []balancer.Node{node}
		return changed
	}
	e := newEngine(t)
	e.Set(dual(netip.IPv6Loopback()))
	waitHealthy(t, e)
	ask := func(host, request string) (response string, err error) {
		conn, err := net.Dial("tcp", netip.AddrPortFrom(netip.MustParseAddr(host), port).String())
		if err != nil {
			return "", err
		}
		defer func() { _ = conn.Close() }()
		_, _ = fmt.Fprint(conn, request)
		all, err := io.ReadAll(conn)
		return string(all), err
	}
	for _, q := range []struct{ host, request, want string }{
		{"::1", "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", "::1 for ::1 at h"},
		{"127.0.1.1", "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", "::1 for 127.0.0.1 at h"},
		{"::1", "GET /four HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", "127.0.1.1 for ::1 at h"},
		{"::1", "GET / HTTP/1.0\r\n\r\n", "::1 for ::1 at [::1]"},
		{"::1", "GET /away HTTP/1.1\r\nHost: [::1]:80\r\nConnection: close\r\n\r\n", "https://[::1]:443/"},
	} {
		got, err := ask(q.host, q.request)
		if err != nil || !strings.Contains(got, q.want) {
			t.Errorf("%q to %s: got %q, %v; want %q", q.request, q.host, got, err, q.want)
		}
	}
	kept, err := net.Dial("tcp", netip.AddrPortFrom(netip.MustParseAddr("127.0.1.1"), port).String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = kept.Close() }()
	e.Set(dual(netip.Addr{}))
	if got, err := ask("::1", ""); err == nil {
		t.Errorf("without its IPv6 address, the node answers there: %q", got)
	}
	_, _ = fmt.Fprint(kept, "GET /four HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
	if got, err := io.ReadAll(kept); !strings.Contains(string(got), "127.0.1.1 for 127.0.0.1") {
		t.Errorf("a connection over IPv4 is answered with %q, %v", got, err)
	}
}
