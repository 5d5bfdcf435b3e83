//go:build linux && root

package network

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/firewall"
)

// world6 is every IPv6 address.
var world6 = netip.MustParsePrefix("::/0")

// needIPv6 skips a test on a kernel without IPv6, on which networks have none.
func needIPv6(t *testing.T) {
	if !HasIPv6() {
		t.Skip("not tested: networks of IPv6, which the kernel does not have")
	}
}

// withIPv6 returns a VPC with a block of IPv6 addresses, whose number is a digit, and a block for
// each of its subnets. Its open group admits IPv6.
func withIPv6(v VPC, number string) VPC {
	v.IPv6 = []netip.Prefix{netip.MustParsePrefix("2001:db8:7e57:" + number + "00::/56")}
	v.Subnets = slices.Clone(v.Subnets)
	for i := range v.Subnets {
		v.Subnets[i].IPv6 = netip.MustParsePrefix("2001:db8:7e57:" + number + "0" + string('a'+rune(i)) + "::/64")
	}
	v.SecurityGroups = slices.Clone(v.SecurityGroups)
	for i := range v.SecurityGroups {
		if open := &v.SecurityGroups[i]; open.ID == openGroup.ID {
			open.Ingress = append(slices.Clone(open.Ingress), allTraffic(world6))
			open.Egress = append(slices.Clone(open.Egress), allTraffic(world6))
		}
	}
	return v
}

// with6 returns the interface with IPv6 addresses.
func with6(i Interface, addresses ...string) Interface {
	i.IPv6 = nil
	for _, a := range addresses {
		i.IPv6 = append(i.IPv6, netip.MustParseAddr(a))
	}
	return i
}

// withRoute6 returns the VPC with default routes of IPv6 to a target.
func withRoute6(v VPC, via Target) VPC {
	v.Subnets = slices.Clone(v.Subnets)
	for i := range v.Subnets {
		v.Subnets[i].Routes = append(slices.Clone(v.Subnets[i].Routes), Route{Destination: world6, Via: via})
	}
	return v
}

const (
	a6 = "2001:db8:7e57:10a::10"
	b6 = "2001:db8:7e57:10b::10"
	c6 = "2001:db8:7e57:10b::11"
)

func TestRealIPv6PassesSecurityGroupsAndNetworkACLs(t *testing.T) {
	needIPv6(t)
	s := newSite(t)
	a, b, c := s.machine("a", 3000), s.machine("b", 3000, 4000), s.machine("c")
	v := newVPC("v",
		with6(eni("v", "10.0.1.10", a, "sg-lb", openGroup.ID), a6), with6(eni("v", "10.0.2.10", b, "sg-app"), b6),
		with6(eni("v", "10.0.2.11", c), c6),
	)
	app := func(rules ...firewall.Rule) VPC {
		changed := v
		changed.SecurityGroups = append(slices.Clone(v.SecurityGroups), firewall.SecurityGroup{ID: "sg-lb"},
			firewall.SecurityGroup{ID: "sg-app", Ingress: rules})
		return withIPv6(changed, "1")
	}
	to, closed := "["+b6+"]:3000", "["+b6+"]:4000"

	s.set(app(tcpRule(3000, "0.0.0.0/0")))
	s.assertAnswers(a, "10.0.2.10:3000", "b")
	s.assertSilent(a, to) // the rule is for IPv4
	s.set(app(tcpRule(3000, a6+"/128")))
	kept := s.assertAnswers(a, to, "b to "+a6)
	s.assertSilent(a, closed)
	s.assertSilent(c, to)
	s.assertSilent(a, "10.0.2.10:3000")
	s.set(app(firewall.Rule{Protocol: "tcp", FromPort: 3000, ToPort: 3000, SecurityGroup: "sg-lb"}))
	s.assertAnswers(a, to, "b to "+a6)
	s.assertSilent(c, to)

	echo := firewall.Rule{Protocol: "icmpv6", FromPort: 128, ToPort: -1, CIDR: world6}
	s.set(app(echo))
	s.assertAlive(kept)
	if err := ping6(a, b6); err != nil {
		t.Errorf("an allowed echo: %v", err)
	}
	s.assertSilent(a, to)

	open := app(tcpRule(3000, "::/0"))
	anything := firewall.ACLRule{Number: 101, Allow: true, Protocol: "-1", CIDR: world6}
	deny := firewall.ACLRule{Number: 100, Protocol: "6", FromPort: 3000, ToPort: 3000, CIDR: world6}
	open.Subnets[1].ACL = &firewall.ACL{
		Ingress: []firewall.ACLRule{anything}, Egress: []firewall.ACLRule{anything},
	}
	s.set(open)
	s.assertAnswers(a, to, "b")
	s.assertAnswers(c, to, "b")
	open.Subnets = slices.Clone(open.Subnets)
	open.Subnets[1].ACL = &firewall.ACL{
		Ingress: []firewall.ACLRule{deny, anything}, Egress: []firewall.ACLRule{anything},
	}
	s.set(open)
	s.assertSilent(a, to)
	s.assertDead(kept)
	s.assertAnswers(c, to, "b") // within the subnet
	dropped, err := s.plane.Dropped("v", []firewall.Border{{Subnet: "subnet-bv"}})
	if err != nil || dropped[firewall.Border{Subnet: "subnet-bv"}] == 0 {
		t.Errorf("the network ACL has dropped %v, %v", dropped, err)
	}

	s.set(newVPC("v", eni("v", "10.0.1.10", a), eni("v", "10.0.2.10", b)))
	s.assertAnswers(a, "10.0.2.10:3000", "b")
	if _, _, err := s.dial(a, to); err == nil {
		t.Error("IPv6 works in a VPC that has none any more")
	}
}

// withOption sets an option of sockets over IPv6.
func withOption(option int) func(network, address string, c syscall.RawConn) error {
	return func(_, _ string, c syscall.RawConn) error {
		var failure error
		err := c.Control(func(fd uintptr) {
			failure = unix.SetsockoptInt(int(fd), unix.SOL_IPV6, option, 1)
		})
		return errors.Join(err, failure)
	}
}

// ping6 sends an echo request and waits for its reply, or for a router's error about it.
func ping6(path, to string) error {
	var conn net.Conn
	err := inNamespace(path, func() (err error) {
		dialer := net.Dialer{Control: withOption(unix.IPV6_RECVERR)}
		conn, err = dialer.Dial("ip6:ipv6-icmp", to)
		return err
	})
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(silenceTimeout)); err != nil {
		return err
	}
	if _, err := conn.Write([]byte{128, 0, 0, 0, 0, 1, 0, 1}); err != nil { // the kernel fills in the checksum
		return err
	}
	buffer := make([]byte, 200)
	for {
		n, err := conn.Read(buffer)
		if err != nil {
			return err
		}
		if n >= 8 && buffer[0] == 129 {
			return nil
		}
	}
}

func TestRealIPv6SourcesAndRoutersCannotBeForged(t *testing.T) {
	needIPv6(t)
	s := newSite(t)
	a, b, c := s.machine("a"), s.machine("b"), s.machine("c")
	v := withIPv6(newVPC("v",
		with6(eni("v", "10.0.1.10", a), a6), with6(eni("v", "10.0.2.10", b), b6), with6(eni("v", "10.0.2.11", c), c6),
	), "1")
	s.set(v)
	received := listenUDP(t, b, "["+b6+"]:5000")
	for _, source := range []string{c6, "2001:db8:7e57:10a::99", "2001:db8:ffff::1", a6} {
		if err := sendFrom(t, a, source, "["+b6+"]:5000"); err != nil {
			t.Fatal(err)
		}
	}
	if got := received(); got != a6 {
		t.Errorf("the first packet is from %s, want %s", got, a6)
	}

	// A machine's claims about hardware addresses change those of its own link alone, and nobody
	// believes it to be a router.
	before := s.routes6("v")
	if err := advertise(a); err != nil {
		t.Fatal(err)
	}
	if err := ping6(c, b6); err != nil {
		t.Errorf("from c to b: %v", err)
	}
	if after := s.routes6("v"); after != before {
		t.Errorf("routes before:\n%s\nand after a router's advertisement:\n%s", before, after)
	}

	// Machines find the router themselves, too.
	n, err := openNamespace(a)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = n.close() }()
	link, err := n.netlink.LinkByName(machineDevice(0))
	if err != nil {
		t.Fatal(err)
	}
	neighbor := &netlink.Neigh{LinkIndex: link.Attrs().Index, Family: netlink.FAMILY_V6, IP: gateway6.AsSlice()}
	if err := n.netlink.NeighDel(neighbor); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if err = ping6(a, b6); err == nil {
			break // the machine's own link-local address can be used
		}
	}
	if err != nil {
		t.Errorf("after a machine has forgotten the router: %v", err)
	}
}

// sendFrom sends a datagram with its source as its content.
func sendFrom(t *testing.T, path, source, to string) error {
	return inNamespace(path, func() error {
		transparent := net.ListenConfig{Control: withOption(unix.IPV6_TRANSPARENT)}
		conn, err := transparent.ListenPacket(t.Context(), "udp6", "["+source+"]:5001")
		if err != nil {
			return err
		}
		defer func() { _ = conn.Close() }()
		_, err = conn.WriteTo([]byte(source), net.UDPAddrFromAddrPort(netip.MustParseAddrPort(to)))
		return err
	})
}

// advertise sends what a router would, and a neighbour's claim to have another's address.
func advertise(path string) error {
	return inNamespace(path, func() error {
		link, err := net.InterfaceByName(machineDevice(0))
		if err != nil {
			return err
		}
		fd, err := unix.Socket(unix.AF_INET6, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_ICMPV6)
		if err != nil {
			return err
		}
		defer func() { _ = unix.Close(fd) }()
		for _, option := range []int{unix.IPV6_UNICAST_HOPS, unix.IPV6_MULTICAST_HOPS} {
			if err := unix.SetsockoptInt(fd, unix.SOL_IPV6, option, 255); err != nil {
				return err
			}
		}
		router := make([]byte, 16)
		router[0], router[4], router[6] = 134, 64, 0xff // of the default route, for long
		claim := append([]byte{136, 0, 0, 0, 0x20, 0, 0, 0}, net.ParseIP(b6)...)
		for _, to := range []string{"ff02::1", gateway6.String()} {
			address := &unix.SockaddrInet6{Addr: netip.MustParseAddr(to).As16(), ZoneId: uint32(link.Index)}
			for _, message := range [][]byte{router, claim} {
				if err := unix.Sendto(fd, message, 0, address); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// routes6 returns the IPv6 routes of a router as text.
func (s *site) routes6(vpcID string) string {
	s.Helper()
	routes, err := s.plane.routers[vpcID].netlink.RouteList(nil, netlink.FAMILY_V6)
	if err != nil {
		s.Fatal(err)
	}
	var all []string
	for _, r := range routes {
		all = append(all, r.String())
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}
