//go:build linux && root

package network

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// What enters by the internet gateway passes the machine to which the gateway's routes lead, and so do the
// replies and what the receiver opens itself, without any translation by the machine. Both sides see each
// other's own addresses, in both families.
func TestRealMachineStandsBehindTheInternetGateway(t *testing.T) {
	s := newSite(t)
	app, between, other := s.machine("app", 3000), s.machine("between", 3000), s.machine("other", 3000)
	s.inNamespaceOf(between, "sh", "-c",
		"echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding")
	s.inNamespaceOf(between, "nft", "add table inet seen; "+
		"add chain inet seen forward { type filter hook forward priority 0; }; "+
		"add counter inet seen in; add counter inet seen out; "+
		"add rule inet seen forward ip daddr 10.0.1.10 counter name in; "+
		"add rule inet seen forward ip6 daddr "+a6+" counter name in; "+
		"add rule inet seen forward ip saddr 10.0.1.10 counter name out; "+
		"add rule inet seen forward ip6 saddr "+a6+" counter name out")
	passed := func() (in, out bool) {
		t.Helper()
		counters := s.inNamespaceOf(between, "nft", "reset", "counters")
		seen := func(name string) bool {
			_, rest, _ := strings.Cut(counters, "counter "+name+" {")
			return !strings.HasPrefix(strings.TrimSpace(rest), "packets 0 ")
		}
		return seen("in"), seen("out")
	}
	const client, client6 = "203.0.113.22", "2001:db8:7e57:20a::10"
	w := withIPv6(withGateway(newVPC("w",
		with6(withPublicIP(eni("w", "10.0.1.10", other), client), client6))), "2")
	w.Subnets[0].Routes = append(w.Subnets[0].Routes, Route{Destination: everywhere6, Via: Gateway})
	with := func(change func(v *VPC)) VPC {
		v := newVPC("v", with6(withPublicIP(eni("v", "10.0.1.10", app), "203.0.113.21"), a6),
			with6(withPublicIP(eni("v", "10.0.2.10", between), "203.0.113.23"), b6))
		v = withIPv6(withGateway(v), "1")
		v.Interfaces[1].SourceDestCheck = false
		lead := func(to string) Route {
			return Route{Destination: netip.MustParsePrefix(to), Via: ToInterface, Interface: v.Interfaces[1].ID}
		}
		v.Ingress = []Route{
			{Destination: v.CIDRs[0], Via: Local}, lead("10.0.1.0/24"), lead("2001:db8:7e57:10a::/64"),
		}
		local := newVPC("v").Subnets[0].Routes
		v.Subnets[0].Routes = append(slices.Clone(local), lead("0.0.0.0/0"), lead("::/0"))
		v.Subnets[1].Routes = append(v.Subnets[1].Routes, Route{Destination: everywhere6, Via: Gateway})
		change(&v)
		return v
	}
	check := func() {
		t.Helper()
		for _, c := range []struct{ from, to, want string }{
			{other, "203.0.113.21:3000", "app to " + client}, {app, client + ":3000", "other to 203.0.113.21"},
			{other, "[" + a6 + "]:3000", "app to " + client6}, {app, "[" + client6 + "]:3000", "other to " + a6},
		} {
			if strings.HasPrefix(c.to, "[") && !HasIPv6() {
				continue
			}
			passed()
			s.assertAnswers(c.from, c.to, c.want)
			if in, out := passed(); !in || !out {
				t.Errorf("to %s: packets passed the machine in %t, out %t; want both", c.to, in, out)
			}
		}
		s.assertAnswers(other, "203.0.113.23:3000", "between to "+client)
	}
	unchanged := func(*VPC) {}
	s.set(with(unchanged), w)
	check()
	kept := s.assertAnswers(other, "203.0.113.21:3000", "app to "+client)
	if changes, err := s.plane.Audit(); len(changes) > 0 || err != nil {
		t.Errorf("the audit finds %v, %v", changes, err)
	}
	s.restartPlane()
	s.set(with(unchanged), w)
	s.assertAlive(kept)
	check()

	for name, change := range map[string]func(v *VPC){
		"the source/destination check":       func(v *VPC) { v.Interfaces[1].SourceDestCheck = true },
		"no group of the machine":            func(v *VPC) { v.Interfaces[1].SecurityGroups = nil },
		"no group of the receiver":           func(v *VPC) { v.Interfaces[0].SecurityGroups = nil },
		"no machine":                         func(v *VPC) { v.Interfaces[1].Namespace = "" },
		"no public address of the machine":   func(v *VPC) { v.Interfaces[1].Public = netip.Addr{} },
		"a subnet without a way to the edge": func(v *VPC) { v.Subnets[1].Routes = v.Subnets[1].Routes[:1] },
	} {
		t.Log(name)
		s.set(with(change), w)
		s.assertSilent(other, "203.0.113.21:3000")
	}

	// All of the VPC is behind the machine, which has a public address itself.
	s.set(with(func(v *VPC) {
		v.Ingress = []Route{{Destination: v.CIDRs[0], Via: ToInterface, Interface: v.Interfaces[1].ID}}
	}), w)
	s.assertAnswers(other, "203.0.113.21:3000", "app to "+client)
	s.assertAnswers(other, "203.0.113.23:3000", "between to "+client)
	s.assertAnswers(between, client+":3000", "other to 203.0.113.23")

	passed()
	s.set(with(func(v *VPC) { v.Ingress, v.Subnets[0].Routes = nil, v.Subnets[1].Routes }), w)
	s.assertAnswers(other, "203.0.113.21:3000", "app to "+client)
	if in, out := passed(); in || out {
		t.Error("packets passed the machine without routes to it")
	}
}
