//go:build linux && root

package network

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// addExternalHost connects a namespace with the host, like a machine on another of its
// networks. It returns the namespace's address. A server greets on port 80.
func (s *site) addExternalHost() netip.Addr {
	s.Helper()
	path := s.machine("outside", 80)
	host, err := openNamespace(hostNamespace)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = host.close() })
	far, err := openNamespace(path)
	if err != nil {
		s.Fatal(err)
	}
	defer func() { _ = far.close() }()
	near, farEnd, err := createPair(host, s.cfg.Name+"-out", far, "out", nil, 1500)
	if err != nil {
		s.Fatal(err)
	}
	if err := setUpPair(end{host, near}, end{far, farEnd}); err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() {
		if err := host.removeDevice(near); err != nil {
			s.Error(err)
		}
	})
	addr := netip.MustParseAddr("198.51.100.2")
	for _, a := range []struct {
		namespace *namespace
		link      netlink.Link
		addr      string
	}{{host, near, "198.51.100.1/30"}, {far, farEnd, "198.51.100.2/30"}} {
		if err := a.namespace.setAddresses(a.link, []netip.Prefix{netip.MustParsePrefix(a.addr)}); err != nil {
			s.Fatal(err)
		}
	}
	return addr
}

func TestRealInternetNeedsAGatewayAndARoute(t *testing.T) {
	s := newSite(t)
	out := s.addExternalHost().String() + ":80"
	a := s.machine("a", 3000)
	i := withPublicIP(eni("v", "10.0.1.10", a), "203.0.113.20")
	closed := newVPC("v", i)
	gatewayOnly := closed
	gatewayOnly.Gateway = true
	routeOnly := withGateway(closed)
	routeOnly.Gateway = false
	for name, v := range map[string]VPC{"neither": closed, "only a gateway": gatewayOnly, "only a route": routeOnly} {
		t.Run(name, func(t *testing.T) {
			s.set(v)
			s.assertSilent(a, out)
			s.assertSilent(hostNamespace, "203.0.113.20:3000")
		})
	}
	s.set(withGateway(closed))
	s.assertAnswers(hostNamespace, "203.0.113.20:3000", "a to "+s.plane.HostAddress().String())
	conn := s.assertAnswers(a, out, "outside to 198.51.100.1")
	s.assertAlive(conn)

	s.set(closed)
	s.assertSilent(a, out)
	s.assertSilent(hostNamespace, "203.0.113.20:3000")
	s.set(withGateway(closed))
	s.assertAnswers(hostNamespace, "203.0.113.20:3000", "a")
}

func TestRealInternetNeedsAPublicAddress(t *testing.T) {
	s := newSite(t)
	out := s.addExternalHost().String() + ":80"
	a, b := s.machine("a"), s.machine("b", 3000)
	s.set(withGateway(newVPC("v", eni("v", "10.0.1.10", a), withPublicIP(eni("v", "10.0.2.10", b), "203.0.113.21"))))
	s.assertSilent(a, out)
	s.assertSilent(a, "203.0.113.21:3000")
	s.assertAnswers(a, "10.0.2.10:3000", "b")
	s.assertAnswers(b, out, "outside")
}

func TestRealPublicAddressesReachEachOther(t *testing.T) {
	s := newSite(t)
	a, b, c := s.machine("a", 3000), s.machine("b", 3000), s.machine("c", 3000)
	s.set(
		withGateway(newVPC(
			"v",
			withPublicIP(eni("v", "10.0.1.10", a), "203.0.113.20"),
			withPublicIP(eni("v", "10.0.2.10", b), "203.0.113.21"),
		)),
		withGateway(newVPC("w", withPublicIP(eni("w", "10.0.1.10", c), "203.0.113.22"))),
	)
	// Within a VPC, and between two VPCs with the same CIDR.
	s.assertAnswers(a, "203.0.113.21:3000", "b to 203.0.113.20")
	s.assertAnswers(a, "203.0.113.22:3000", "c to 203.0.113.20")
	s.assertAnswers(c, "203.0.113.20:3000", "a to 203.0.113.22")
	s.assertAnswers(c, "10.0.1.10:3000", "c")
	s.assertSilent(c, "10.0.2.10:3000")
}

func TestRealMachinesCannotReachTheHost(t *testing.T) {
	proxy, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = proxy.Close() }()
	go func() {
		for {
			conn, err := proxy.Accept()
			if err != nil {
				return
			}
			fmt.Fprintln(conn, "proxy")
			_ = conn.Close()
		}
	}()
	s := newSite(t, func(c *PlaneConfig) { c.Reach.Proxies = map[uint16]string{3128: proxy.Addr().String()} })
	out := s.addExternalHost().String()
	a := s.machine("a")
	s.set(withGateway(newVPC("v", withPublicIP(eni("v", "10.0.1.10", a), "203.0.113.20"))))
	s.assertAnswers(a, s.plane.ProxyAddress().String()+":3128", "proxy")
	for _, to := range []string{
		out + ":81",                             // closed
		"198.51.100.1:22",                       // an address of the host
		s.plane.ProxyAddress().String() + ":22", // not offered
		"169.254.7.7:80",                        // link-local
	} {
		if _, _, err := s.dial(a, to); !errors.Is(err, unix.ECONNRESET) && !errors.Is(err, unix.ECONNREFUSED) {
			t.Errorf("dial %s: got error %v, want a reset", to, err)
		}
	}
	for _, to := range []string{
		s.plane.HostAddress().String() + ":22",
		"203.0.113.1:15001", "203.0.113.99:80", // the edge itself, an unused address
	} {
		s.assertSilent(a, to)
	}
	s.assertSilent(hostNamespace, "203.0.113.1:15001")
}

func TestRealEdgeDropsPacketsToVPCs(t *testing.T) {
	s := newSite(t)
	a := s.machine("a")
	w := newVPC("w")
	w.CIDRs = []netip.Prefix{netip.MustParsePrefix("10.99.0.0/16")}
	s.set(withGateway(newVPC("v", withPublicIP(eni("v", "10.0.1.10", a), "203.0.113.20"))), w)
	s.assertSilent(a, "10.99.0.10:80")
}

func TestRealEgressHalfCloses(t *testing.T) {
	s := newSite(t)
	s.addExternalHost()
	server, err := ListenIn(filepath.Join(s.dir, "machines", "outside"), netip.MustParseAddrPort("0.0.0.0:81"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = server.Close() }()
	a := s.machine("a")
	s.set(withGateway(newVPC("v", withPublicIP(eni("v", "10.0.1.10", a), "203.0.113.20"))))
	ctx, cancel := context.WithTimeout(t.Context(), silenceTimeout)
	defer cancel()
	conn, err := DialIn(ctx, a, netip.MustParseAddrPort("198.51.100.2:81"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	far, err := server.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = far.Close() }()
	fmt.Fprintln(conn, "question")
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got, err := s.readLine(far); got != "question" {
		t.Fatalf("got %q, %v", got, err)
	}
	if _, err := s.readLine(far); err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("the proxy did not pass on the half-close: got error %v, want EOF", err)
	}
	fmt.Fprintln(far, "answer")
	if got, err := s.readLine(conn); got != "answer" {
		t.Fatalf("got %q, %v", got, err)
	}
}
