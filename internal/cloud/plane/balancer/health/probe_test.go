//go:build linux

package health_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/health"
)

var node = netip.MustParseAddr("10.0.1.6")

func dial(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, "tcp", to.String())
}

func TestATCPCheckPassesOnceItIsConnected(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := netip.MustParseAddrPort(l.Addr().String())
	target := balancer.Target{Address: at.Addr(), Port: 1}
	check := balancer.HealthCheck{Connect: true, Port: at.Port()}
	probe := health.NewProber(dial, node, target, check)
	if o := probe(t.Context(), time.Second); !o.Passed || !o.Connected {
		t.Errorf("outcome of a target that accepts: %+v", o)
	}
	_ = l.Close()
	if o := probe(t.Context(), time.Second); o != (health.Outcome{}) {
		t.Errorf("outcome of a target that refuses: %+v", o)
	}
	for err, want := range map[error]health.Outcome{
		health.ErrNodeDown: {NodeDown: true}, unix.EHOSTUNREACH: {TimedOut: true},
	} {
		failing := func(context.Context, netip.AddrPort) (net.Conn, error) { return nil, err }
		if o := health.NewProber(failing, node, target, check)(t.Context(), time.Second); o != want {
			t.Errorf("outcome of %v: %+v", err, o)
		}
	}
}

func TestRequestsOfNetworkLoadBalancersNameTheNode(t *testing.T) {
	hosts := make(chan string, 1)
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { hosts <- r.Host }))
	defer s.Close()
	at := netip.MustParseAddrPort(s.Listener.Addr().String())
	target := balancer.Target{Address: at.Addr(), Port: at.Port()}
	check := balancer.HealthCheck{Path: "/", Matcher: balancer.Matcher{{First: 200, Last: 399}}}
	for port, want := range map[uint16]string{0: at.String(), 80: "10.0.1.6:80"} {
		check.HostPort = port
		o := health.NewProber(dial, node, target, check)(t.Context(), time.Second)
		if host := <-hosts; !o.Passed || host != want {
			t.Errorf("the host is %s, want %s; outcome %+v", host, want, o)
		}
	}
}
