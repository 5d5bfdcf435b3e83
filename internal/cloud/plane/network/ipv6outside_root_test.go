//go:build linux && root

package network

import (
	"errors"
	"net/netip"
	"slices"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/nat64"
	"aloft.dev/aloft/internal/cloud/plane/firewall"
)

func TestRealIPv6OutsideNeedsAGatewayAndARoute(t *testing.T) {
	needIPv6(t)
	s := newSite(t)
	a, b, c := s.machine("a", 3000), s.machine("b", 3000), s.machine("c", 3000)
	inside := withIPv6(newVPC("v", with6(eni("v", "10.0.1.10", a), a6), with6(eni("v", "10.0.2.10", b), b6)), "1")
	const other = "2001:db8:7e57:20a::10"
	w := withGateway(withRoute6(withIPv6(newVPC("w", with6(eni("w", "10.0.1.10", c), other)), "2"), Gateway))
	s.set(inside, w)
	s.assertSilent(hostNamespace, "["+a6+"]:3000")
	s.assertSilent(a, "["+other+"]:3000")
	s.assertSilent(c, "["+a6+"]:3000")
	s.assertAnswers(hostNamespace, "["+other+"]:3000", "c to "+s.plane.edge.addresses.of(world6.Addr()).host.String())

	public := withRoute6(withGateway(inside), Gateway)
	s.set(public, w)
	kept := s.assertAnswers(hostNamespace, "["+a6+"]:3000", "a")
	s.assertAnswers(c, "["+a6+"]:3000", "a to "+other)
	s.assertAnswers(a, "["+other+"]:3000", "c to "+a6)
	within := public
	within.Interfaces = slices.Clone(public.Interfaces)
	within.Interfaces[0].Inside6 = true
	s.set(within, w)
	s.assertDead(kept)
	s.assertSilent(c, "["+a6+"]:3000")
	s.assertSilent(hostNamespace, "["+a6+"]:3000")
	s.assertSilent(a, "["+other+"]:3000")
	s.assertAnswers(b, "["+a6+"]:3000", "a to "+b6)
	s.set(public, w)
	kept = s.assertAnswers(hostNamespace, "["+a6+"]:3000", "a")
	before := s.routes6("v")

	s.restartPlane()
	s.set(public, w)
	s.assertAlive(kept)
	if after := s.routes6("v"); after != before {
		t.Errorf("routes before:\n%s\nand after a restart:\n%s", before, after)
	}
	if changes, err := s.plane.Audit(); err != nil || len(changes) > 0 {
		t.Errorf("after a restart: %q, %v", changes, err)
	}

	// Not even an interface without the source check brings foreign addresses to others.
	unchecked := public
	unchecked.Interfaces = slices.Clone(public.Interfaces)
	unchecked.Interfaces[0].SourceDestCheck = false
	s.set(unchecked, w)
	received := listenUDP(t, c, "["+other+"]:5000")
	for _, source := range []string{"2001:db8:7e57:f0a::1", a6} {
		if err := sendFrom(t, a, source, "["+other+"]:5000"); err != nil {
			t.Fatal(err)
		}
	}
	if got := received(); got != a6 {
		t.Errorf("the first packet from another VPC is from %s, want %s", got, a6)
	}

	// An egress-only gateway lets flows begin inside alone.
	outward := withRoute6(inside, EgressOnlyGateway)
	outward.EgressOnly = true
	s.set(outward, w)
	s.assertAnswers(a, "["+other+"]:3000", "c to "+a6)
	s.assertSilent(c, "["+a6+"]:3000")
	s.assertSilent(hostNamespace, "["+a6+"]:3000")
	s.assertRefused(a, "[2600::1]:80") // the host has no IPv6
	if err := ping6(a, "2600::1"); !errors.Is(err, unix.ENETUNREACH) {
		t.Errorf("an echo from a host without IPv6: %v, want that the network is unreachable", err)
	}
}

// addExternalHost6 gives the host and the machine of addExternalHost addresses of the internet, and
// the host a default route that any other comes before. It returns the machine's address.
func (s *site) addExternalHost6() netip.Addr {
	s.Helper()
	s.addExternalHost()
	host, err := openNamespace(hostNamespace)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = host.close() })
	far, err := openNamespace(s.machine("outside"))
	if err != nil {
		s.Fatal(err)
	}
	defer func() { _ = far.close() }()
	addr := netip.MustParseAddr("2600:dead:beef:1::2")
	for _, e := range []struct {
		namespace  *namespace
		name, addr string
	}{{host, s.cfg.Name + "-out", "2600:dead:beef:1::1/64"}, {far, "out", "2600:dead:beef:1::2/64"}} {
		link, err := e.namespace.netlink.LinkByName(e.name)
		if err != nil {
			s.Fatal(err)
		}
		err = e.namespace.netlink.AddrReplace(link, &netlink.Addr{
			IPNet: ipNet(netip.MustParsePrefix(e.addr)), Flags: unix.IFA_F_NODAD,
		})
		if err != nil {
			s.Fatal(err)
		}
		if e.namespace != host {
			continue
		}
		route := route{
			table: unix.RT_TABLE_MAIN, to: everywhere6, device: link.Attrs().Index, via: addr, metric: lastResortMetric,
		}
		if err := host.netlink.RouteReplace(route.kernel()); err != nil { // it goes with its device
			s.Fatal(err)
		}
	}
	return addr
}

func TestRealIPv6PassesAPeeringConnection(t *testing.T) {
	needIPv6(t)
	s := newSite(t)
	a, b := s.machine("a"), s.machine("b", 3000)
	const peer6 = "2001:db8:7e57:20a::10"
	v := withIPv6(newVPC("v", with6(eni("v", "10.0.1.10", a, openGroup.ID, "sg-client"), a6)), "1")
	v.SecurityGroups = append(v.SecurityGroups, firewall.SecurityGroup{ID: "sg-client"})
	server := with6(eni("w", "10.0.1.10", b, "sg-server"), peer6)
	server.Private = netip.MustParseAddr("10.9.1.10")
	w := withIPv6(VPC{
		ID: "w", CIDRs: []netip.Prefix{netip.MustParsePrefix("10.9.0.0/16")}, Interfaces: []Interface{server},
		Subnets: []Subnet{{ID: "subnet-aw", CIDR: netip.MustParsePrefix("10.9.1.0/24")}},
	}, "2")
	connect := func(v *VPC, to VPC, members []firewall.Member) {
		v.Peers = []Peer{{ID: "pcx-1", VPCID: to.ID, CIDRs: slices.Concat(to.CIDRs, to.IPv6), Members: members}}
		v.Subnets[0].Routes = append(slices.Clone(v.Subnets[0].Routes),
			Route{Destination: to.IPv6[0], Via: PeerVPC, Peer: "pcx-1"})
	}
	connect(&v, w, nil)
	connect(&w, v, []firewall.Member{{Private: netip.MustParseAddr(a6), SecurityGroups: []string{"sg-client"}}})
	serve := func(from string) VPC {
		w.SecurityGroups = []firewall.SecurityGroup{{ID: "sg-server", Ingress: []firewall.Rule{
			{Protocol: "tcp", FromPort: 3000, ToPort: 3000, SecurityGroup: from},
		}}}
		return w
	}
	s.set(v, serve("sg-client"))
	s.assertAnswers(a, "["+peer6+"]:3000", "b to "+a6)
	s.set(v, serve("sg-other"))
	s.assertSilent(a, "["+peer6+"]:3000")
}

func TestRealNetworksWorkWhereTheHostUsesTheIPv6Range(t *testing.T) {
	needIPv6(t)
	host, err := openNamespace(hostNamespace)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = host.close() }()
	inUse := netip.MustParsePrefix("2001:db8:7e58:1::/64")
	used := netlink.Route{Dst: ipNet(inUse), Type: unix.RTN_BLACKHOLE, Family: netlink.FAMILY_V6}
	if err := host.netlink.RouteAdd(&used); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := host.netlink.RouteDel(&used); err != nil {
			t.Error(err)
		}
	}()
	s := newSite(t, func(c *PlaneConfig) { c.IPv6Range = netip.MustParsePrefix("2001:db8:7e58::/48") })
	a, b := s.machine("a"), s.machine("b", 3000)
	s.set(withIPv6(newVPC("v", with6(eni("v", "10.0.1.10", a), a6), with6(eni("v", "10.0.2.10", b), b6)), "1"))
	s.assertAnswers(a, "10.0.2.10:3000", "b")
	if _, _, err := s.dial(a, "["+b6+"]:3000"); !errors.Is(err, unix.ENETUNREACH) {
		t.Errorf("IPv6 without a range: %v, want that the network is unreachable", err)
	}
}

func TestRealIPv6ReachesIPv4ThroughANATGateway(t *testing.T) {
	needIPv6(t)
	s := newSite(t)
	a, b := s.machine("a"), s.machine("b")
	s.addExternalHost()
	v := withRoute6(withGateway(withIPv6(
		newVPC("v", with6(eni("v", "10.0.1.10", a), a6), with6(eni("v", "10.0.2.10", b), b6)), "1",
	)), Gateway)
	v.Subnets[0].Routes = append(v.Subnets[0].Routes, Route{Destination: nat64.Prefix, Via: NAT64})
	s.set(v)
	translated := netip.AddrPortFrom(nat64.Embed(netip.MustParseAddr("198.51.100.2")), 80).String()
	s.assertAnswers(a, translated, "outside to 198.51.100.1")
	s.assertSilent(b, translated) // an internet gateway does not translate
	host := netip.AddrPortFrom(nat64.Embed(netip.MustParseAddr("198.51.100.1")), 80).String()
	if _, _, err := s.dial(a, host); !errors.Is(err, unix.ECONNRESET) && !errors.Is(err, unix.ECONNREFUSED) {
		t.Errorf("the host's own address: got error %v, want a reset", err)
	}
}

func TestRealIPv6LeavesThroughTheHost(t *testing.T) {
	needIPv6(t)
	s := newSite(t, func(c *PlaneConfig) {
		c.Reach.Private = []netip.Prefix{netip.MustParsePrefix("2600:dead:beef:1::2/128")}
	})
	a := s.machine("a")
	v := withIPv6(newVPC("v", with6(eni("v", "10.0.1.10", a), a6)), "1")
	v.EgressOnly = true
	v = withRoute6(v, EgressOnlyGateway)
	s.set(v)
	out := "[2600:dead:beef:1::2]:80"
	if _, _, err := s.dial(a, out); !errors.Is(err, unix.ECONNREFUSED) {
		t.Skipf("not tested: what leaves through an egress-only gateway. This host has IPv6 to the internet: %v", err)
	}
	s.addExternalHost6()
	if changes, err := s.plane.Audit(); err != nil || len(changes) == 0 {
		t.Errorf("the host has got IPv6, and the audit tells %q, %v", changes, err)
	}
	s.set(v)
	conn := s.assertAnswers(a, out, "outside to 2600:dead:beef:1::1")
	s.restartPlane()
	s.set(v)
	s.assertAlive(conn)
	s.assertAnswers(a, out, "outside")
	for _, to := range []string{"[2600:dead:beef:1::1]:22", "[2600:dead:beef:2::1]:22"} { // the host, and its site
		if _, _, err := s.dial(a, to); !errors.Is(err, unix.ECONNRESET) && !errors.Is(err, unix.ECONNREFUSED) {
			t.Errorf("dial %s: got error %v, want a reset", to, err)
		}
	}
}
