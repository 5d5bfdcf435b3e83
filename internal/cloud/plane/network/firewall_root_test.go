//go:build linux && root

package network

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/firewall"
)

func TestRealSecurityGroupDropsWhatNoRuleAllows(t *testing.T) {
	s := newSite(t)
	a, b, c := s.machine("a"), s.machine("b", 22, 3000), s.machine("c")
	web := firewall.SecurityGroup{
		ID:      "sg-web",
		Ingress: []firewall.Rule{tcpRule(3000, "0.0.0.0/0"), tcpRule(22, "10.0.1.10/32")},
		Egress:  []firewall.Rule{allTraffic(world)},
	}
	v := newVPC("v", eni("v", "10.0.1.10", a), eni("v", "10.0.1.11", b, "sg-web"), eni("v", "10.0.2.10", c))
	v.SecurityGroups = append(v.SecurityGroups, web)
	s.set(v)
	s.assertAnswers(a, "10.0.1.11:3000", "b")
	s.assertAnswers(c, "10.0.1.11:3000", "b")
	ssh := s.assertAnswers(a, "10.0.1.11:22", "b")
	s.assertSilent(c, "10.0.1.11:22")   // no rule allows the address
	s.assertSilent(a, "10.0.1.11:3001") // nothing listens on the port, but packets are dropped first

	// A change applies to new flows at once. Established flows live on.
	v.SecurityGroups = []firewall.SecurityGroup{
		openGroup,
		{ID: "sg-web", Ingress: []firewall.Rule{tcpRule(22, "10.0.2.0/24")}, Egress: web.Egress},
	}
	s.set(v)
	s.assertSilent(a, "10.0.1.11:3000")
	s.assertSilent(a, "10.0.1.11:22")
	s.assertAnswers(c, "10.0.1.11:22", "b")
	s.assertAlive(ssh)
}

func TestRealSecurityGroupReferences(t *testing.T) {
	s := newSite(t)
	a, b, c := s.machine("a"), s.machine("b"), s.machine("c", 3000)
	lb := firewall.SecurityGroup{
		ID:     "sg-lb",
		Egress: []firewall.Rule{{Protocol: "tcp", FromPort: 3000, ToPort: 3000, SecurityGroup: "sg-app"}},
	}
	app := firewall.SecurityGroup{
		ID:      "sg-app",
		Ingress: []firewall.Rule{{Protocol: "tcp", FromPort: 3000, ToPort: 3000, SecurityGroup: "sg-lb"}},
	}
	v := newVPC("v", eni("v", "10.0.1.10", a, "sg-lb"), eni("v", "10.0.1.11", b), eni("v", "10.0.2.10", c, "sg-app"))
	v.SecurityGroups = append(v.SecurityGroups, lb, app)
	s.set(v)
	s.assertAnswers(a, "10.0.2.10:3000", "c")
	s.assertSilent(b, "10.0.2.10:3000")
	v.Interfaces = slices.Clone(v.Interfaces)
	v.Interfaces[1].SecurityGroups = []string{"sg-lb", openGroup.ID}
	s.set(v)
	s.assertAnswers(b, "10.0.2.10:3000", "c")
}

func TestRealEgressRules(t *testing.T) {
	s := newSite(t)
	a, b := s.machine("a", 3000), s.machine("b", 3000, 4000)
	few := firewall.SecurityGroup{
		ID:      "sg-few",
		Ingress: []firewall.Rule{allTraffic(world)},
		Egress:  []firewall.Rule{tcpRule(4000, "10.0.1.0/24")},
	}
	v := newVPC("v", eni("v", "10.0.1.10", a, "sg-few"), eni("v", "10.0.1.11", b))
	v.SecurityGroups = append(v.SecurityGroups, few)
	s.set(v)
	s.assertAnswers(a, "10.0.1.11:4000", "b")
	s.assertSilent(a, "10.0.1.11:3000")
	s.assertAnswers(b, "10.0.1.10:3000", "a") // responses need no egress rule
}

func TestRealNetworkACLs(t *testing.T) {
	s := newSite(t)
	a, b, c := s.machine("a", 3000), s.machine("b", 3000), s.machine("c", 3000)
	anything := func(number int, allow bool) firewall.ACLRule {
		return firewall.ACLRule{Number: number, Allow: allow, Protocol: "-1", CIDR: world}
	}
	v := newVPC("v", eni("v", "10.0.1.10", a), eni("v", "10.0.2.10", b), eni("v", "10.0.2.11", c))
	s.set(v)
	before := s.assertAnswers(a, "10.0.2.10:3000", "b")
	with := func(ingress, egress []firewall.ACLRule) {
		v.Subnets = slices.Clone(v.Subnets)
		v.Subnets[1].ACL = &firewall.ACL{Ingress: ingress, Egress: egress}
		s.set(v)
	}
	with(nil, nil)
	s.assertSilent(a, "10.0.2.10:3000")
	s.assertDead(before)
	s.assertAnswers(b, "10.0.2.11:3000", "c") // ACLs do not apply within a subnet

	only3000 := firewall.ACLRule{Number: 100, Allow: true, Protocol: "6", FromPort: 3000, ToPort: 3000, CIDR: world}
	with([]firewall.ACLRule{only3000}, nil)
	s.assertSilent(a, "10.0.2.10:3000") // stateless: responses need a rule too
	replies := firewall.ACLRule{Number: 100, Allow: true, Protocol: "6", FromPort: 1024, ToPort: 65535, CIDR: world}
	with([]firewall.ACLRule{only3000}, []firewall.ACLRule{replies})
	s.assertAnswers(a, "10.0.2.10:3000", "b")
	with(
		[]firewall.ACLRule{
			anything(200, true),
			{Number: 100, Protocol: "6", FromPort: 3000, ToPort: 3000, CIDR: world},
		},
		[]firewall.ACLRule{anything(1, true)},
	)
	s.assertSilent(a, "10.0.2.10:3000") // the lowest number decides
	with([]firewall.ACLRule{anything(1, true)}, []firewall.ACLRule{anything(1, true)})
	s.assertAnswers(a, "10.0.2.10:3000", "b")
}

func TestRealSourceDestCheck(t *testing.T) {
	s := newSite(t)
	a, b := s.machine("a"), s.machine("b")
	i, j := eni("v", "10.0.1.10", a), eni("v", "10.0.2.10", b)
	s.set(newVPC("v", i, j))
	receive := listenUDP(t, b, "10.0.2.10:5000")
	send := func(source string) error {
		return inNamespace(a, func() error {
			from := net.UDPAddrFromAddrPort(netip.MustParseAddrPort(source + ":5001"))
			c := net.ListenConfig{Control: transparent}
			conn, err := c.ListenPacket(t.Context(), "udp4", from.String())
			if err != nil {
				return err
			}
			defer func() { _ = conn.Close() }()
			_, err = conn.WriteTo([]byte(source), net.UDPAddrFromAddrPort(netip.MustParseAddrPort("10.0.2.10:5000")))
			return err
		})
	}
	for _, source := range []string{"10.0.2.77", "10.0.1.11", "192.0.2.77", "10.0.1.10"} {
		if err := send(source); err != nil {
			t.Fatal(err)
		}
	}
	if got := receive(); got != "10.0.1.10" {
		t.Errorf("first packet from %q, want the machine's own address", got)
	}
	i.SourceDestCheck = false
	s.set(newVPC("v", i, j))
	if err := send("10.0.1.11"); err != nil {
		t.Fatal(err)
	}
	if got := receive(); got != "10.0.1.11" {
		t.Errorf("first packet from %q, want 10.0.1.11 without the check", got)
	}
}

// listenUDP listens in a namespace and returns a function that receives a datagram.
func listenUDP(t *testing.T, path, at string) func() string {
	t.Helper()
	var conn net.PacketConn
	err := inNamespace(path, func() (err error) {
		conn, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort(at)))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return func() string {
		buffer := make([]byte, 100)
		_ = conn.SetReadDeadline(time.Now().Add(silenceTimeout))
		n, _, err := conn.ReadFrom(buffer)
		if err != nil {
			return err.Error()
		}
		return string(buffer[:n])
	}
}

func transparent(_, _ string, c syscall.RawConn) error {
	var failure error
	err := c.Control(func(fd uintptr) { failure = unix.SetsockoptInt(int(fd), unix.SOL_IP, unix.IP_TRANSPARENT, 1) })
	return errors.Join(err, failure)
}

func TestRealCutInterface(t *testing.T) {
	s := newSite(t)
	a, b := s.machine("a", 3000), s.machine("b", 3000)
	i, j := eni("v", "10.0.1.10", a), eni("v", "10.0.1.11", b)
	s.set(newVPC("v", i, j))
	conn := s.assertAnswers(a, "10.0.1.11:3000", "b")
	j.Cut = true
	s.set(newVPC("v", i, j))
	s.assertDead(conn)
	s.assertSilent(a, "10.0.1.11:3000")
	s.assertSilent(b, "10.0.1.10:3000")
	j.Cut = false
	s.set(newVPC("v", i, j))
	s.assertAnswers(a, "10.0.1.11:3000", "b")
	s.assertAnswers(b, "10.0.1.10:3000", "a")
	if got, err := s.readLine(conn, 5*time.Second); got != "still there?" { // TCP retransmits what was lost
		t.Errorf("the connection did not recover: got %q, %v", got, err)
	}
}

func TestRealICMPRules(t *testing.T) {
	s := newSite(t)
	a, b := s.machine("a"), s.machine("b")
	echo := firewall.Rule{Protocol: "icmp", FromPort: 8, ToPort: -1, CIDR: world}
	v := newVPC("v", eni("v", "10.0.1.10", a), eni("v", "10.0.2.10", b, "sg-echo"))
	v.SecurityGroups = append(v.SecurityGroups, firewall.SecurityGroup{ID: "sg-echo", Ingress: []firewall.Rule{echo}})
	s.set(v)
	if err := ping(a, "10.0.2.10"); err != nil {
		t.Errorf("allowed ping: %v", err)
	}
	if err := ping(b, "10.0.1.10"); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("ping without an egress rule: got error %v, want a deadline exceeded", err)
	}
}

func ping(path, to string) error {
	var conn net.Conn
	err := inNamespace(path, func() (err error) {
		conn, err = net.Dial("ip4:icmp", to)
		return err
	})
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(silenceTimeout)); err != nil {
		return err
	}
	request := []byte{8, 0, 0xf7, 0xfd, 0, 1, 0, 1} // echo request with ID 1, sequence number 1 and their checksum
	if _, err := conn.Write(request); err != nil {
		return err
	}
	buffer := make([]byte, 200)
	n, err := conn.Read(buffer)
	if err != nil {
		return err
	}
	if n < 28 || buffer[20] != 0 { // after the IP header
		return fmt.Errorf("%w: % x", io.ErrUnexpectedEOF, buffer[:n])
	}
	return nil
}
