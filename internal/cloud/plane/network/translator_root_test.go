//go:build linux && root

package network

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/firewall"
)

const gatewayAddress = "203.0.113.30"

// withNAT returns a VPC whose subnet a has a NAT gateway and an internet gateway, and
// whose subnet b has a route to the NAT gateway.
func withNAT(v VPC) VPC {
	v = withGateway(v)
	v.Interfaces = append(slices.Clone(v.Interfaces), withPublicIP(Interface{
		ID: "eni-nat" + v.ID, SubnetID: "subnet-a" + v.ID, Private: netip.MustParseAddr("10.0.1.5"),
		OwnNamespace: true, Translates: true,
	}, gatewayAddress))
	v.Subnets[1].Routes = []Route{
		newVPC(v.ID).Subnets[1].Routes[0], {Destination: world, Via: ToInterface, Interface: "eni-nat" + v.ID},
	}
	return v
}

// serveUDP answers each packet with the address that it came from.
func (s *site) serveUDP(path string, port uint16) {
	s.Helper()
	var conn net.PacketConn
	err := inNamespace(path, func() (err error) {
		conn, err = net.ListenPacket("udp4", fmt.Sprintf(":%d", port))
		return err
	})
	if err != nil {
		s.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		buffer := make([]byte, 64)
		for {
			_, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			_, _ = conn.WriteTo([]byte(from.(*net.UDPAddr).IP.String()), from)
		}
	})
	s.Cleanup(func() { _ = conn.Close(); running.Wait() })
}

// askUDP sends a packet and returns the answer, or an empty text.
func (s *site) askUDP(path, to string) string {
	s.Helper()
	var conn net.Conn
	err := inNamespace(path, func() (err error) { conn, err = net.Dial("udp4", to); return err })
	if err != nil {
		s.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.Write([]byte("who am I?")); err != nil {
		return ""
	}
	_ = conn.SetReadDeadline(time.Now().Add(silenceTimeout))
	buffer := make([]byte, 64)
	n, _ := conn.Read(buffer)
	return string(buffer[:n])
}

// ping reports whether an address answers an ICMP echo request.
func (s *site) ping(path, to string) bool {
	s.Helper()
	var conn net.PacketConn
	err := inNamespace(path, func() (err error) { conn, err = net.ListenPacket("ip4:icmp", "0.0.0.0"); return err })
	if err != nil {
		s.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	// Type 8, code 0, the checksum, identifier 1 and sequence number 1.
	request := []byte{8, 0, 0xf7, 0xfd, 0, 1, 0, 1}
	if _, err := conn.WriteTo(request, &net.IPAddr{IP: net.ParseIP(to)}); err != nil {
		return false
	}
	_ = conn.SetReadDeadline(time.Now().Add(silenceTimeout))
	reply := make([]byte, 64)
	n, from, err := conn.ReadFrom(reply)
	return err == nil && n >= 8 && reply[0] == 0 && from.String() == to
}

// A machine without a public address has a way out through a NAT gateway and none without,
// and nobody has a way in.
func TestRealNATGatewayIsTheOnlyWayOutOfAPrivateSubnet(t *testing.T) {
	s := newSite(t)
	out := s.addExternalHost().String() + ":80"
	private, other := s.machine("private", 3000), s.machine("other", 3000)
	s.serveUDP(other, 5000)
	w := withGateway(newVPC("w", withPublicIP(eni("w", "10.0.1.10", other), "203.0.113.22")))
	closed := newVPC("v", eni("v", "10.0.2.10", private))
	open := withNAT(closed)
	intoPrivate := func() {
		t.Helper()
		for _, from := range []string{hostNamespace, other} {
			for _, to := range []string{gatewayAddress + ":3000", gatewayAddress + ":22"} {
				s.assertSilent(from, to)
			}
		}
	}

	s.set(closed, w)
	s.assertSilent(private, out)
	s.assertSilent(private, "203.0.113.22:3000")
	if answer := s.askUDP(private, "203.0.113.22:5000"); answer != "" {
		t.Errorf("UDP left a subnet without a route: answer %q", answer)
	}

	s.set(open, w)
	s.assertAnswers(private, out, "outside")
	conn := s.assertAnswers(private, "203.0.113.22:3000", "other to "+gatewayAddress)
	if answer := s.askUDP(private, "203.0.113.22:5000"); answer != gatewayAddress {
		t.Errorf("UDP has the source %q", answer)
	}
	if !s.ping(private, "203.0.113.22") {
		t.Error("nothing answers a ping through the gateway")
	}
	if s.ping(other, gatewayAddress) {
		t.Error("the gateway answers a ping from outside")
	}
	intoPrivate()
	s.assertSilent(private, "10.0.1.5:3000") // the gateway itself serves nothing

	// Another daemon takes over, and the connection goes on.
	s.restartPlane()
	s.set(open, w)
	s.assertAlive(conn)
	s.assertAnswers(private, "203.0.113.22:3000", "other to "+gatewayAddress)

	// The gateway's own subnet needs a route to the internet.
	stranded := open
	stranded.Subnets = slices.Clone(open.Subnets)
	stranded.Subnets[0].Routes = newVPC("v").Subnets[0].Routes
	s.set(stranded, w)
	s.assertSilent(private, "203.0.113.22:3000")

	// A deleted gateway leaves a black hole.
	gone := open
	gone.Interfaces = open.Interfaces[:1]
	s.set(gone, w)
	s.assertSilent(private, out)
	s.set(open, w)
	s.assertAnswers(private, out, "outside")
}

// Each flow leaves with one of the gateway's addresses. One that drains keeps its flows and gets no
// new ones.
func TestRealNATGatewaySpreadsFlowsOverItsAddresses(t *testing.T) {
	const secondAddress = "203.0.113.31"
	s := newSite(t)
	private, other := s.machine("private"), s.machine("other", 3000)
	w := withGateway(newVPC("w", withPublicIP(eni("w", "10.0.1.10", other), "203.0.113.22")))
	v := withNAT(newVPC("v", eni("v", "10.0.2.10", private)))
	gateway := &v.Interfaces[len(v.Interfaces)-1]
	gateway.Secondary = []firewall.Address{{
		Private: netip.MustParseAddr("10.0.1.6"), Public: netip.MustParseAddr(secondAddress),
	}}
	s.set(v, w)
	open := map[string]net.Conn{}
	for try := 0; len(open) < 2 && try < 64; try++ {
		var conn net.Conn
		err := inNamespace(private, func() (err error) {
			conn, err = net.DialTimeout("tcp4", "203.0.113.22:3000", answerTimeout)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		line, err := s.readLine(conn)
		if err != nil {
			t.Fatal(err)
		}
		open[strings.TrimPrefix(line, "other to ")] = conn
	}
	if open[gatewayAddress] == nil || open[secondAddress] == nil {
		t.Fatalf("flows of the addresses %v", slices.Collect(maps.Keys(open)))
	}

	v.Interfaces = slices.Clone(v.Interfaces)
	gateway = &v.Interfaces[len(v.Interfaces)-1]
	gateway.Draining = []netip.Addr{gateway.Secondary[0].Private}
	s.set(v, w)
	for _, conn := range open {
		s.assertAlive(conn)
	}
	for range 16 {
		s.assertAnswers(private, "203.0.113.22:3000", "other to "+gatewayAddress)
	}
}

// Two machines that use the same port share the address of the gateway.
func TestRealNATGatewayTranslatesPorts(t *testing.T) {
	s := newSite(t)
	a, b, other := s.machine("a"), s.machine("b"), s.machine("other", 3000)
	w := withGateway(newVPC("w", withPublicIP(eni("w", "10.0.1.10", other), "203.0.113.22")))
	s.set(withNAT(newVPC("v", eni("v", "10.0.2.10", a), eni("v", "10.0.2.11", b))), w)
	for _, path := range []string{a, b} {
		var conn net.Conn
		err := inNamespace(path, func() error {
			dialer := net.Dialer{LocalAddr: &net.TCPAddr{Port: 40000}, Timeout: silenceTimeout}
			var err error
			conn, err = dialer.DialContext(context.Background(), "tcp4", "203.0.113.22:3000")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		if line, err := s.readLine(conn); line != "other to "+gatewayAddress {
			t.Errorf("got %q, %v", line, err)
		}
		s.assertAlive(conn)
	}
}

// The network ACL of the gateway's subnet filters what passes the gateway, in each of the
// four directions. That of a failed zone denies everything.
func TestRealACLOfTheNATGatewaysSubnetCutsTheWayOut(t *testing.T) {
	s := newSite(t)
	private, other := s.machine("private"), s.machine("other", 3000)
	w := withGateway(newVPC("w", withPublicIP(eni("w", "10.0.1.10", other), "203.0.113.22")))
	v := withNAT(newVPC("v", eni("v", "10.0.2.10", private)))
	s.set(v, w)
	conn := s.assertAnswers(private, "203.0.113.22:3000", "other to "+gatewayAddress)
	allow := func(number int, prefix string) firewall.ACLRule {
		return firewall.ACLRule{Number: number, Allow: true, Protocol: "-1", CIDR: netip.MustParsePrefix(prefix)}
	}
	everything, outside, inside := allow(1, "0.0.0.0/0"), allow(1, "203.0.113.0/24"), allow(1, "10.0.2.0/24")
	for _, c := range []struct {
		name            string
		ingress, egress []firewall.ACLRule
		passes          bool
	}{
		{"everything", []firewall.ACLRule{everything}, []firewall.ACLRule{everything}, true},
		{"what is needed", []firewall.ACLRule{outside, inside}, []firewall.ACLRule{outside, inside}, true},
		{"nothing", nil, nil, false},
		{"nothing from the private subnet", []firewall.ACLRule{outside}, []firewall.ACLRule{everything}, false},
		{"nothing from outside", []firewall.ACLRule{inside}, []firewall.ACLRule{everything}, false},
		{"nothing to the private subnet", []firewall.ACLRule{everything}, []firewall.ACLRule{outside}, false},
		{"nothing to the outside", []firewall.ACLRule{everything}, []firewall.ACLRule{inside}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			filtered := v
			filtered.Subnets = slices.Clone(v.Subnets)
			filtered.Subnets[0].ACL = &firewall.ACL{Ingress: c.ingress, Egress: c.egress}
			s.set(filtered, w)
			if c.passes {
				s.assertAlive(conn)
				s.assertAnswers(private, "203.0.113.22:3000", "other")
			} else {
				s.assertSilent(private, "203.0.113.22:3000")
			}
		})
	}
}

// Security groups of the machine behind a NAT gateway decide what it may open.
func TestRealSecurityGroupLimitsWhatPassesANATGateway(t *testing.T) {
	s := newSite(t)
	private, other := s.machine("private"), s.machine("other", 3000, 4000)
	w := withGateway(newVPC("w", withPublicIP(eni("w", "10.0.1.10", other), "203.0.113.22")))
	v := withNAT(newVPC("v", eni("v", "10.0.2.10", private, "sg-limited")))
	v.SecurityGroups = append(slices.Clone(v.SecurityGroups), firewall.SecurityGroup{
		ID: "sg-limited", Egress: []firewall.Rule{tcpRule(3000, "203.0.113.0/24")},
	})
	s.set(v, w)
	s.assertAnswers(private, "203.0.113.22:3000", "other to "+gatewayAddress)
	s.assertSilent(private, "203.0.113.22:4000")
}

func TestRealDamageOfANATGatewayIsFoundAndRepaired(t *testing.T) {
	s := newSite(t)
	private, other := s.machine("private"), s.machine("other", 3000)
	w := withGateway(newVPC("w", withPublicIP(eni("w", "10.0.1.10", other), "203.0.113.22")))
	v := withNAT(newVPC("v", eni("v", "10.0.2.10", private)))
	s.set(v, w)
	s.inNamespaceOf(s.plane.NodeNamespace("eni-natv"), "nft", "flush", "ruleset")
	changes, err := s.plane.Audit()
	want := "v: the firewall of the NAT gateway with eni-natv was changed"
	if found := strings.Join(changes, "\n"); err != nil || found != want {
		t.Fatalf("got %v, %q", err, found)
	}
	s.set(v, w)
	s.assertAnswers(private, "203.0.113.22:3000", "other to "+gatewayAddress)
	s.set(newVPC("v"), w)
	if _, err := os.Stat(s.plane.NodeNamespace("eni-natv")); !errors.Is(err, unix.ENOENT) {
		t.Errorf("the namespace of a deleted gateway is left: %v", err)
	}
}
