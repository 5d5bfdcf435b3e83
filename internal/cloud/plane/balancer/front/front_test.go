//go:build linux

package front

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/balancertest"
	"aloft.dev/aloft/internal/cloud/plane/balancer/keeper"
)

func newFront(t *testing.T) *Front {
	t.Helper()
	f := New(balancertest.Log(t), &keeper.Keeper{}, func(netip.Addr) bool { return false })
	f.check = fastCheck
	t.Cleanup(f.Close)
	return f
}

// serveNode serves HTTP at a node's address until the end of the test.
func serveNode(t *testing.T, at string, port uint16, body string) {
	t.Helper()
	l, err := net.Listen("tcp", fmt.Sprintf("%s:%d", at, port))
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, body)
	}))
	_ = s.Listener.Close()
	s.Listener = l
	s.Start()
	t.Cleanup(s.Close)
}

func TestFrontChecksTheNodesThatItHas(t *testing.T) {
	f, port := newFront(t), balancertest.FreePort(t)
	for _, at := range []string{"127.0.1.1", "127.0.1.2"} {
		serveNode(t, at, port, "a")
	}
	lb := balancertest.OneGroup(port, 2).LoadBalancers[0]
	f.Set([]balancer.LoadBalancer{lb})
	before := (*f.routes.Load())[port][balancertest.DNSName]
	f.Set([]balancer.LoadBalancer{lb})
	if after := (*f.routes.Load())[port][balancertest.DNSName]; after != before {
		t.Error("setting the same load balancer again restarted the turns")
	}
	dead := balancer.Node{ID: "eni-dead", Address: lb.Nodes[0].Address, Public: netip.MustParseAddr("127.0.1.3")}
	lb.Nodes = append(lb.Nodes, dead)
	f.Set([]balancer.LoadBalancer{lb})
	nodes := (*f.routes.Load())[port][balancertest.DNSName].nodes
	if len(nodes) != 3 || nodes[0] != before.nodes[0] {
		t.Fatalf("nodes %v, were %v", nodes, before.nodes)
	}
	waitFailing(t, nodes[2], true)
	for range 6 {
		if resp, body := balancertest.Get(t, "127.0.0.1", port); resp.StatusCode != http.StatusOK || body != "a" {
			t.Errorf("%s %q", resp.Status, body)
		}
	}
}

func TestUnknownNameGetsTheKnownOnes(t *testing.T) {
	f, port := newFront(t), balancertest.FreePort(t)
	f.Set(balancertest.OneGroup(port, 1).LoadBalancers)
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, _ = fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: other.localhost:%d\r\n\r\n", port)
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	buf := make([]byte, 4096)
	n, _ := conn.Read(buf)
	got := string(buf[:n])
	if !strings.HasPrefix(got, "HTTP/1.1 404 ") || !strings.Contains(got, "http://"+balancertest.DNSName) {
		t.Errorf("%q", got)
	}
}

func TestAFewBytesAreNoClientHello(t *testing.T) {
	for _, text := range []string{
		"\x16", "\x16\x03\x01\x00\x05\x02\x00\x00\x01\x00", "\x16\x03\x01\xff\xff" + strings.Repeat("x", 100),
	} {
		if name, err := helloName(strings.NewReader(text)); err == nil {
			t.Errorf("%q has the name %q", text, name)
		}
	}
}
