//go:build linux && root

package network

import (
	"net/netip"
	"slices"
	"testing"

	"aloft.dev/aloft/internal/cloud/plane/firewall"
)

func TestRealKernelTellsWhatItDropsAndWhereMachinesListen(t *testing.T) {
	s := newSite(t)
	a, b := s.machine("a"), s.machine("b", 3000)
	web := firewall.SecurityGroup{ID: "sg-web", Ingress: []firewall.Rule{tcpRule(3000, "0.0.0.0/0")}}
	v := newVPC("v", eni("v", "10.0.1.10", a), eni("v", "10.0.2.11", b, "sg-web"))
	v.SecurityGroups = append(v.SecurityGroups, web)
	s.set(v)
	sockets, err := Listening(b)
	if err != nil || !slices.ContainsFunc(sockets, func(at netip.AddrPort) bool { return at.Port() == 3000 }) {
		t.Errorf("b listens on %v, %v, want port 3000", sockets, err)
	}
	in := firewall.Border{Interface: v.Interfaces[1].ID}
	out := firewall.Border{Interface: v.Interfaces[0].ID, Out: true}
	dropped := func() map[firewall.Border]uint64 {
		t.Helper()
		counts, err := s.plane.Dropped("v", []firewall.Border{in, out, {Subnet: "subnet-without-acl"}})
		if err != nil || len(counts) != 2 {
			t.Fatalf("counts %v, %v, want those of two interfaces", counts, err)
		}
		return counts
	}
	s.assertAnswers(a, "10.0.2.11:3000", "b")
	if before := dropped(); before[in] != 0 || before[out] != 0 {
		t.Errorf("dropped %v of a connection that is allowed", before)
	}
	s.assertSilent(a, "10.0.2.11:3001")
	if after := dropped(); after[in] == 0 || after[out] != 0 {
		t.Errorf("dropped %v, want packets at the receiver's interface alone", after)
	}
}
