//go:build linux && root

package network

import (
	"net/netip"
	"testing"

	"aloft.dev/aloft/internal/cloud/plane/firewall"
)

// peerVPC returns a VPC of 10.9.0.0/16, with one subnet that has routes to the peer.
func peerVPC(to netip.Prefix, connection string, interfaces ...Interface) VPC {
	v := newVPC("w", interfaces...)
	block := netip.MustParsePrefix("10.9.0.0/16")
	v.CIDRs = []netip.Prefix{block}
	v.Subnets = []Subnet{{
		ID: "subnet-aw", CIDR: netip.MustParsePrefix("10.9.1.0/24"),
		Routes: []Route{{Destination: block, Via: Local}, {Destination: to, Via: PeerVPC, Peer: connection}},
	}}
	return v
}

func TestRealPeersReachEachOtherAlongTheirRoutes(t *testing.T) {
	s := newSite(t)
	a, b, c := s.machine("a", 3000), s.machine("b", 3000, 3001), s.machine("c", 3000)
	const connection = "pcx-1"
	v := newVPC("v", eni("v", "10.0.1.10", a, "sg-a"), eni("v", "10.0.2.10", c))
	groupA := openGroup
	groupA.ID = "sg-a"
	v.SecurityGroups = append(v.SecurityGroups, groupA)
	inPeer := eni("w", "10.9.1.10", b, "sg-b")
	w := peerVPC(v.CIDRs[0], connection, inPeer)
	v.Subnets[0].Routes = append(v.Subnets[0].Routes, Route{Destination: w.CIDRs[0], Via: PeerVPC, Peer: connection})
	// b accepts port 3000 from the members of a's group, which is in the other VPC.
	w.SecurityGroups = []firewall.SecurityGroup{{
		ID:      "sg-b",
		Ingress: []firewall.Rule{{Protocol: "tcp", FromPort: 3000, ToPort: 3000, SecurityGroup: "sg-a"}},
		Egress:  []firewall.Rule{allTraffic(world)},
	}}
	s.set(v, w)
	s.assertSilent(a, "10.9.1.10:3000") // there is no connection yet

	v.Peers = []Peer{{ID: connection, VPCID: "w", CIDRs: w.CIDRs, Members: []firewall.Member{
		{Private: inPeer.Private, SecurityGroups: inPeer.SecurityGroups},
	}}}
	w.Peers = []Peer{{ID: connection, VPCID: "v", CIDRs: v.CIDRs, Members: []firewall.Member{
		{Private: v.Interfaces[0].Private, SecurityGroups: v.Interfaces[0].SecurityGroups},
	}}}
	s.set(v, w)
	s.assertAnswers(a, "10.9.1.10:3000", "b to 10.0.1.10")
	s.assertAnswers(b, "10.0.1.10:3000", "a to 10.9.1.10")
	s.assertSilent(a, "10.9.1.10:3001") // no rule
	s.assertSilent(c, "10.9.1.10:3000") // its subnet has no route
	s.assertSilent(b, "10.0.2.10:3000") // nor has the answer one
	if changes, err := s.plane.Audit(); err != nil || len(changes) > 0 {
		t.Errorf("the audit finds %v, %v", changes, err)
	}
	s.set(v, w) // nothing changes
	s.assertAnswers(a, "10.9.1.10:3000", "b to 10.0.1.10")

	v.Peers, w.Peers = nil, nil
	s.set(v, w)
	s.assertSilent(a, "10.9.1.10:3000")
}

func TestRealPeersDoNotLeadToTheInternetOrOtherPeers(t *testing.T) {
	s := newSite(t)
	a, b, c := s.machine("a"), s.machine("b", 3000), s.machine("c", 3000)
	v, w := newVPC("v", eni("v", "10.0.1.10", a)), peerVPC(netip.MustParsePrefix("10.0.0.0/16"), "pcx-1",
		eni("w", "10.9.1.10", b))
	x := newVPC("x", Interface{
		ID: "eni-x", SubnetID: "subnet-ax", Private: netip.MustParseAddr("10.8.1.10"), Namespace: c,
		SecurityGroups: []string{openGroup.ID}, SourceDestCheck: true,
	})
	x.CIDRs = []netip.Prefix{netip.MustParsePrefix("10.8.0.0/16")}
	x.Subnets = []Subnet{{ID: "subnet-ax", CIDR: netip.MustParsePrefix("10.8.1.0/24"), Routes: []Route{
		{Destination: world, Via: PeerVPC, Peer: "pcx-2"},
	}}}
	v.Subnets[0].Routes = []Route{{Destination: world, Via: PeerVPC, Peer: "pcx-1"}}
	w.Subnets[0].Routes = append(w.Subnets[0].Routes, Route{Destination: x.CIDRs[0], Via: PeerVPC, Peer: "pcx-2"})
	v.Peers = []Peer{{ID: "pcx-1", VPCID: "w", CIDRs: w.CIDRs}}
	w.Peers = []Peer{{ID: "pcx-1", VPCID: "v", CIDRs: v.CIDRs}, {ID: "pcx-2", VPCID: "x", CIDRs: x.CIDRs}}
	x.Peers = []Peer{{ID: "pcx-2", VPCID: "w", CIDRs: w.CIDRs}}
	s.set(v, withGateway(w), x)
	s.assertAnswers(a, "10.9.1.10:3000", "b to 10.0.1.10")
	s.assertAnswers(b, "10.8.1.10:3000", "c to 10.9.1.10")
	s.assertSilent(a, "10.8.1.10:3000")
	s.assertSilent(a, "203.0.113.1:80")
}

func TestRealSecondaryBlocksAreInsideTheVPC(t *testing.T) {
	s := newSite(t)
	a, b := s.machine("a"), s.machine("b", 3000)
	v := newVPC("v", eni("v", "10.0.1.10", a), Interface{
		ID: "eni-b", SubnetID: "subnet-c", Private: netip.MustParseAddr("100.64.1.10"), Namespace: b,
		SecurityGroups: []string{openGroup.ID}, SourceDestCheck: true,
	})
	v.CIDRs = append(v.CIDRs, netip.MustParsePrefix("100.64.0.0/16"))
	v.Subnets = append(v.Subnets, Subnet{ID: "subnet-c", CIDR: netip.MustParsePrefix("100.64.1.0/24")})
	s.set(withGateway(v))
	s.assertAnswers(a, "100.64.1.10:3000", "b to 10.0.1.10")
	s.assertSilent(a, "100.64.1.99:3000")
}
