//go:build linux && root

package network

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"
)

func TestRealMachineWithoutIPv4FindsNeighborsServicesAndTheOutside(t *testing.T) {
	needIPv6(t)
	s := newSite(t, withMachineServices(t))
	a, b, only := s.machine("a", 3000), s.machine("b", 3000), s.machine("only", 3000)
	const other, metadata = "2001:db8:7e57:20a::10", "[fd00:ec2::254]"
	alone := with6(eni("v", "10.0.2.10", only), b6)
	alone.Private = netip.Addr{}
	v := withRoute6(withGateway(withIPv6(newVPC("v", with6(eni("v", "10.0.1.10", a), a6), alone), "1")), Gateway)
	v.Subnets[1].CIDR = netip.Prefix{}
	w := withGateway(withRoute6(withIPv6(newVPC("w", with6(eni("w", "10.0.1.10", b), other)), "2"), Gateway))
	check := func() {
		t.Helper()
		for path, from := range map[string]string{a: a6, only: b6} {
			if got, err := readInstanceIDAt(path, metadata); got != "v "+from {
				t.Errorf("metadata: got %q, %v; want that of %s", got, err, from)
			}
			if got, err := callAPIAt(path, metadata); !strings.HasPrefix(got, "["+from+"]:") {
				t.Errorf("API: got %q, %v; want an answer to %s", got, err, from)
			}
			for _, network := range []string{"udp", "tcp"} {
				if got, err := resolve(path, network, "[fd00:ec2::253]:53"); got != "10.0.0.100" {
					t.Errorf("resolver over %s: got %q, %v", network, got, err)
				}
			}
		}
		s.assertAnswers(only, "["+a6+"]:3000", "a to "+b6)
		s.assertAnswers(a, "["+b6+"]:3000", "only to "+a6)
		s.assertAnswers(only, "["+other+"]:3000", "b to "+b6)
		s.assertAnswers(hostNamespace, "["+b6+"]:3000", "only")
	}
	s.set(v, w)
	check()
	if _, _, err := s.dial(b, metadata+":81"); err == nil {
		t.Error("another port of the metadata service's address answers")
	}
	machine, err := openNamespace(only)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = machine.close() }()
	link, err := machine.netlink.LinkByName(machineDevice(0))
	if err != nil {
		t.Fatal(err)
	}
	if has, err := machine.netlink.AddrList(link, netlink.FAMILY_V4); err != nil || len(has) > 0 {
		t.Errorf("the machine has the IPv4 addresses %v, %v", has, err)
	}
	s.restartPlane()
	s.set(v, w)
	check()
	if changes, err := s.plane.Audit(); err != nil || len(changes) > 0 {
		t.Errorf("after a restart: %q, %v", changes, err)
	}
	s.set(newVPC("v", eni("v", "10.0.1.10", a)), w)
	if _, err := readInstanceID(a); err != nil {
		t.Errorf("in a VPC that has no IPv6 any more: %v", err)
	}
}
