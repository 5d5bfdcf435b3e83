//go:build linux && root

package network

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"aloft.dev/aloft/internal/cloud/plane/firewall"
)

// second returns an interface that is the machine's device ens6.
func second(i Interface) Interface {
	i.Number = 1
	return i
}

// withSecondary returns the interface with a secondary address, and a public one if that is
// not empty.
func withSecondary(i Interface, private, public string) Interface {
	address := firewall.Address{Private: netip.MustParseAddr(private)}
	if public != "" {
		address.Public = netip.MustParseAddr(public)
	}
	i.Secondary = append(slices.Clone(i.Secondary), address)
	return i
}

// A second interface and secondary addresses come to a machine that runs, and go. Each
// address answers through its own interface, behind the groups of that interface.
func TestRealInterfacesAndAddressesComeAndGo(t *testing.T) {
	s := newSite(t)
	m, a, b, other := s.machine("m", 3000), s.machine("a", 3000), s.machine("b", 3000), s.machine("other", 3000)
	w := withGateway(newVPC("w", withPublicIP(eni("w", "10.0.1.10", other), "203.0.113.22")))
	first := withPublicIP(eni("v", "10.0.1.10", m), "203.0.113.21")
	extra := withSecondary(
		withPublicIP(second(eni("v", "10.0.2.10", m, "sg-b")), "203.0.113.23"), "10.0.2.11", "203.0.113.24",
	)
	with := func(interfaces ...Interface) VPC {
		v := withGateway(newVPC("v", append(interfaces, eni("v", "10.0.1.20", a), eni("v", "10.0.2.20", b))...))
		v.SecurityGroups = append(slices.Clone(v.SecurityGroups), firewall.SecurityGroup{
			ID: "sg-b", Egress: []firewall.Rule{allTraffic(world)},
			Ingress: []firewall.Rule{tcpRule(3000, "10.0.2.0/24"), tcpRule(3000, "203.0.113.0/24")},
		})
		return v
	}
	s.set(with(first), w)
	kept := s.assertAnswers(a, "10.0.1.10:3000", "m to 10.0.1.20")

	check := func() {
		t.Helper()
		s.assertAlive(kept)
		s.assertAnswers(b, "10.0.2.10:3000", "m to 10.0.2.20")
		s.assertAnswers(b, "10.0.2.11:3000", "m to 10.0.2.20")
		s.assertAnswers(a, "10.0.1.10:3000", "m to 10.0.1.20")
		s.assertAnswers(b, "10.0.1.10:3000", "m to 10.0.2.20")
		s.assertSilent(a, "10.0.2.10:3000") // the groups of the second interface forbid it
		s.assertSilent(a, "10.0.2.11:3000")
		s.assertAnswers(other, "203.0.113.21:3000", "m to 203.0.113.22")
		s.assertAnswers(other, "203.0.113.23:3000", "m to 203.0.113.22")
		s.assertAnswers(other, "203.0.113.24:3000", "m to 203.0.113.22")
		// What the machine opens without a source of its own leaves through the first.
		s.assertAnswers(m, "10.0.2.20:3000", "b to 10.0.1.10")
		s.assertAnswers(m, "203.0.113.22:3000", "other to 203.0.113.21")
	}
	s.set(with(first, extra), w)
	check()
	s.restartPlane()
	s.set(with(first, extra), w)
	check()

	// A secondary address moves to the machine b, which has it at once.
	conn := s.assertAnswers(b, "10.0.2.10:3000", "m to 10.0.2.20")
	lesser := extra
	lesser.Secondary = nil
	moved := with(first, lesser)
	moved.Interfaces[3] = withSecondary(moved.Interfaces[3], "10.0.2.11", "203.0.113.24")
	s.set(moved, w)
	s.assertAlive(conn)
	s.assertAnswers(a, "10.0.2.11:3000", "b to 10.0.1.20")
	s.assertAnswers(other, "203.0.113.24:3000", "b to 203.0.113.22")
	if has := s.inNamespaceOf(m, "ip", "-4", "addr", "show", "dev", "ens6"); strings.Contains(has, "10.0.2.11") {
		t.Errorf("the machine keeps the address that moved:\n%s", has)
	}

	s.set(with(first), w)
	s.assertAlive(kept)
	s.assertSilent(b, "10.0.2.10:3000")
	s.assertSilent(other, "203.0.113.23:3000")
	if devices := s.inNamespaceOf(m, "ip", "-o", "link"); strings.Contains(devices, "ens6") {
		t.Errorf("the device of a detached interface is left:\n%s", devices)
	}
	if rules := s.inNamespaceOf(m, "ip", "-4", "rule"); strings.Contains(rules, "10001") {
		t.Errorf("the rules of a detached interface are left:\n%s", rules)
	}
	s.set(with(first, extra), w)
	check()
}

// A machine passes on what routes lead to it only without the source/destination check, and
// only what its groups and the network ACL of its subnet let in.
func TestRealMachineForwardsOnlyWithoutSourceDestCheck(t *testing.T) {
	s := newSite(t)
	private, forwarder, other := s.machine("private"), s.machine("forwarder"), s.machine("other", 3000)
	s.inNamespaceOf(forwarder, "sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward")
	s.inNamespaceOf(forwarder, "nft", "add table ip nat; "+
		"add chain ip nat out { type nat hook postrouting priority 100; }; "+
		"add rule ip nat out ip saddr 10.0.2.0/24 ip daddr != 10.0.0.0/16 masquerade")
	w := withGateway(newVPC("w", withPublicIP(eni("w", "10.0.1.10", other), "203.0.113.22")))
	instance := withPublicIP(eni("v", "10.0.1.5", forwarder), gatewayAddress)
	with := func(change func(*Interface)) VPC {
		i := instance
		change(&i)
		v := withGateway(newVPC("v", eni("v", "10.0.2.10", private), i))
		v.Subnets[1].Routes = []Route{
			newVPC("v").Subnets[1].Routes[0], {Destination: world, Via: ToInterface, Interface: i.ID},
		}
		return v
	}
	off := func(i *Interface) { i.SourceDestCheck = false }
	const to = "203.0.113.22:3000"
	s.set(with(func(*Interface) {}), w)
	s.assertSilent(private, to)

	s.set(with(off), w)
	conn := s.assertAnswers(private, to, "other to "+gatewayAddress)
	s.restartPlane()
	s.set(with(off), w)
	s.assertAlive(conn)

	// The check, once it is on again, applies to open connections too.
	s.set(with(func(*Interface) {}), w)
	s.assertDead(conn)
	s.assertSilent(private, to)

	s.set(with(func(i *Interface) { off(i); i.SecurityGroups = nil }), w)
	s.assertSilent(private, to)
	denied := with(off)
	denied.Subnets[0].ACL = &firewall.ACL{
		Egress: []firewall.ACLRule{{Number: 1, Allow: true, Protocol: "-1", CIDR: world}},
	}
	s.set(denied, w)
	s.assertSilent(private, to)
	s.set(with(func(i *Interface) { off(i); i.Namespace = "" }), w) // its instance stopped
	s.assertSilent(private, to)
	s.set(with(off), w)
	s.assertAnswers(private, to, "other to "+gatewayAddress)
}

// A machine stands between two subnets whose routes to each other lead to it, in both families, as far as
// its groups, those of the receiver and the machine itself let packets pass. Machines of one subnet reach
// each other without it.
func TestRealMachineStandsBetweenSubnets(t *testing.T) {
	s := newSite(t)
	a, near, b, between := s.machine("a"), s.machine("near", 3000), s.machine("b", 3000), s.machine("between")
	s.inNamespaceOf(between, "sh", "-c",
		"echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding")
	s.inNamespaceOf(between, "nft", "add table inet seen; "+
		"add chain inet seen forward { type filter hook forward priority 0; }; "+
		"add counter inet seen out; add counter inet seen back; "+
		"add rule inet seen forward ip saddr 10.0.1.10 counter name out; "+
		"add rule inet seen forward ip6 saddr "+a6+" counter name out; "+
		"add rule inet seen forward ip daddr 10.0.1.10 counter name back; "+
		"add rule inet seen forward ip6 daddr "+a6+" counter name back")
	// passed returns whether packets have passed the machine on their way out and back since the last call.
	passed := func() (out, back bool) {
		t.Helper()
		counters := s.inNamespaceOf(between, "nft", "reset", "counters")
		seen := func(name string) bool {
			_, rest, _ := strings.Cut(counters, "counter "+name+" {")
			return !strings.HasPrefix(strings.TrimSpace(rest), "packets 0 ")
		}
		return seen("out"), seen("back")
	}
	with := func(change func(v *VPC)) VPC {
		v := newVPC("v", with6(eni("v", "10.0.1.10", a), a6), eni("v", "10.0.1.11", near),
			with6(eni("v", "10.0.2.10", b), b6),
			with6(eni("v", "10.0.3.10", between), "2001:db8:7e57:10c::10"))
		v.Subnets = append(v.Subnets, Subnet{
			ID: "subnet-cv", CIDR: netip.MustParsePrefix("10.0.3.0/24"), Routes: v.Subnets[0].Routes,
		})
		v = withIPv6(v, "1")
		middle := &v.Interfaces[3]
		middle.SourceDestCheck = false
		lead := func(to string) Route {
			return Route{Destination: netip.MustParsePrefix(to), Via: ToInterface, Interface: middle.ID}
		}
		local := v.Subnets[0].Routes
		v.Subnets[0].Routes = []Route{lead("10.0.0.0/16"), lead("2001:db8:7e57:10b::/64")} // the local route's target
		v.Subnets[1].Routes = append(slices.Clone(local), lead("10.0.1.0/24"), lead("2001:db8:7e57:10a::/64"))
		change(&v)
		return v
	}
	const to, to6 = "10.0.2.10:3000", "[" + b6 + "]:3000"
	unchanged := func(*VPC) {}
	check := func() {
		t.Helper()
		for _, c := range []struct{ to, want string }{
			{to, "b to 10.0.1.10"}, {to6, "b to " + a6},
		} {
			if strings.HasPrefix(c.to, "[") && !HasIPv6() {
				continue
			}
			passed()
			s.assertAnswers(a, c.to, c.want)
			if out, back := passed(); !out || !back {
				t.Errorf("to %s: packets passed the machine out %t, back %t; want both", c.to, out, back)
			}
		}
		s.assertAnswers(a, "10.0.1.11:3000", "near to 10.0.1.10")
		if out, back := passed(); out || back {
			t.Error("packets within a subnet passed the machine")
		}
	}
	s.set(with(unchanged))
	check()
	if changes, err := s.plane.Audit(); len(changes) > 0 || err != nil {
		t.Errorf("the audit finds %v, %v", changes, err)
	}
	s.restartPlane()
	s.set(with(unchanged))
	check()

	for name, change := range map[string]func(v *VPC){
		"the source/destination check": func(v *VPC) { v.Interfaces[3].SourceDestCheck = true },
		"no group of the machine":      func(v *VPC) { v.Interfaces[3].SecurityGroups = nil },
		"no group of the receiver":     func(v *VPC) { v.Interfaces[2].SecurityGroups = nil },
		"no machine":                   func(v *VPC) { v.Interfaces[3].Namespace = "" },
		"the network ACL of the machine's subnet": func(v *VPC) {
			v.Subnets[2].ACL = &firewall.ACL{
				Egress: []firewall.ACLRule{{Number: 1, Allow: true, Protocol: "-1", CIDR: world}},
			}
		},
	} {
		t.Log(name)
		s.set(with(change))
		s.assertSilent(a, to)
	}
	passed()
	s.set(with(func(v *VPC) { v.Subnets[0].Routes, v.Subnets[1].Routes = v.Subnets[2].Routes, v.Subnets[2].Routes }))
	s.assertAnswers(a, to, "b to 10.0.1.10")
	if out, back := passed(); out || back {
		t.Error("packets passed the machine without routes to it")
	}
}
