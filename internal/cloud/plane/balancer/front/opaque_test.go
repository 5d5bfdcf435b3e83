//go:build linux

package front

import (
	"fmt"
	"io"
	"net"
	"testing"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/balancertest"
)

// A load balancer that forwards flows gets the connections of its port at once, because a
// server may speak first. Beside another load balancer, it gets those that name it.
func TestFrontForwardsFlowsThatNameNoLoadBalancer(t *testing.T) {
	f, port := newFront(t), balancertest.FreePort(t)
	greeter, err := net.Listen("tcp", fmt.Sprintf("127.0.1.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = greeter.Close() }()
	go func() {
		for {
			conn, err := greeter.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, "220 hello")
			_ = conn.Close()
		}
	}()
	lb := balancertest.OneGroup(port, 1).LoadBalancers[0]
	lb.Listeners[0].Forwards = []string{"tcp"}
	f.Set([]balancer.LoadBalancer{lb}, nil)
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if greeting, err := io.ReadAll(conn); string(greeting) != "220 hello" {
		t.Errorf("got %q, %v", greeting, err)
	}

	other := balancertest.OneGroup(port, 1).LoadBalancers[0]
	other.DNSName = "other.localhost"
	f.Set([]balancer.LoadBalancer{lb, other}, nil)
	known := (*f.routes.Load())[port]
	if known.opaque() != nil || !known.find(lb.DNSName).opaque || known.find(other.DNSName).opaque {
		t.Errorf("routes = %+v", known)
	}
	lb.Listeners[0].Forwards = []string{"udp"}
	f.Set([]balancer.LoadBalancer{lb}, nil)
	if routes := *f.routes.Load(); len(routes) != 0 {
		t.Errorf("the host listens for UDP: %v", routes)
	}
}
