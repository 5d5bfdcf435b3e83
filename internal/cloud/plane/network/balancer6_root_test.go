//go:build linux && root

package network

import (
	"net/netip"
	"testing"

	"aloft.dev/aloft/internal/cloud/plane/firewall"
)

const (
	node6    = "2001:db8:7e57:10a::6"
	one6     = "2001:db8:7e57:10a::10"
	two6     = "2001:db8:7e57:10b::10"
	client6  = "2001:db8:7e57:10b::20"
	outside6 = "2001:db8:7e57:20a::22"
)

// serve6 makes the node, which has an IPv6 address too, serve.
func (b *balanced) serve6(services ...firewall.Service) {
	b.Helper()
	node := withPublicIP(Interface{
		ID: "eni-node", SubnetID: "subnet-av", Private: netip.MustParseAddr("10.0.1.6"), SourceDestCheck: true,
		OwnNamespace: true, Balances: true, Services: services, Unfiltered: true,
	}, nodeAddress)
	v := withIPv6(newVPC("v",
		with6(eni("v", "10.0.1.10", b.one, openGroup.ID), one6),
		with6(eni("v", "10.0.2.10", b.two, openGroup.ID), two6),
		with6(eni("v", clientAddress, b.client), client6), with6(node, node6),
	), "1")
	w := withIPv6(newVPC("w", with6(withPublicIP(eni("w", "10.0.1.10", b.outside), outsideAddress), outside6)), "2")
	b.set(withGateway(withRoute6(v, Gateway)), withGateway(withRoute6(w, Gateway)))
}

// service6 is a listener at port 80 that keeps the addresses of clients over IPv6.
func service6(one, two firewall.Flows) firewall.Service {
	at := func(address string) netip.AddrPort { return netip.AddrPortFrom(netip.MustParseAddr(address), 3000) }
	return firewall.Service{
		Family: firewall.IPv6, Protocols: []string{"tcp"}, Port: 80, Preserve: true,
		Backends: []firewall.Backend{{At: at(one6), Flows: one}, {At: at(two6), Flows: two}},
	}
}

// A node forwards the flows of clients of both families, each to targets of its own, and ends
// those that are to end.
func TestRealNetworkLoadBalancerForwardsIPv6(t *testing.T) {
	needIPv6(t)
	b := newBalanced(t)
	const at = "[" + node6 + "]:80"
	v4 := tcpService(to(3000, firewall.Begin, firewall.Begin))
	b.serve6(v4, service6(firewall.Begin, firewall.Begin))
	for source, from := range map[string]string{
		client6: b.client, outside6: b.outside,
		b.plane.edge.addresses.of(world6.Addr()).host.String(): hostNamespace,
	} {
		if count := b.answering(from, at, source, 40); len(count) != 2 {
			t.Errorf("of 40 connections from %s, targets answered %v", source, count)
		}
	}
	b.assertSilent(b.outside, "["+node6+"]:81")
	b.answering(b.outside, nodeAddress+":80", outsideAddress, 5)
	b.assertAnswers(b.plane.NodeNamespace("eni-node"), "["+two6+"]:3000", "two to "+node6) // as a health check does
	if flows, err := b.plane.Flows("eni-node"); err != nil || flows["tcp"].FlowCount.Flows != 125 {
		t.Errorf("flows are %+v, %v", flows, err)
	}

	hidden, sticky := service6(firewall.Begin, firewall.Begin), service6(firewall.Begin, firewall.Begin)
	hidden.Preserve, sticky.ByClient = false, true
	b.serve6(v4, hidden)
	b.answering(b.outside, at, node6, 5)
	b.serve6(v4, sticky)
	if count := b.answering(b.outside, at, outside6, 20); len(count) != 1 {
		t.Errorf("the connections of a client reached %v", count)
	}

	b.serve6(v4, service6(firewall.Continue, firewall.Begin))
	kept := b.assertAnswers(b.outside, at, "two")
	b.restartPlane()
	b.serve6(v4, service6(firewall.Begin, firewall.Continue))
	b.assertAlive(kept)
	if changes, err := b.plane.Audit(); err != nil || len(changes) > 0 {
		t.Errorf("after a restart: %q, %v", changes, err)
	}
	b.serve6(v4, service6(firewall.Begin, firewall.End))
	b.assertReset(kept)

	b.serve(v4) // without IPv6
	b.answering(b.outside, nodeAddress+":80", outsideAddress, 5)
	if flows, err := b.plane.Flows("eni-node"); err != nil || flows["tcp"].FlowCount.Flows == 0 {
		t.Errorf("without IPv6, flows are %+v, %v", flows, err)
	}
}

// A process of the node serves clients of IPv6 at ports where the kernel forwards the flows of
// others, and connects to targets with the addresses of clients.
func TestRealNetworkLoadBalancerTerminatesIPv6(t *testing.T) {
	needIPv6(t)
	b := newBalanced(t)
	b.serve6(
		firewall.Service{Family: firewall.IPv6, Protocols: []string{"tcp"}, Port: 80, Terminates: true},
		tcpService(to(3000, firewall.Begin, firewall.Begin)),
	)
	node := b.plane.NodeNamespace("eni-node")
	b.serveGreeting(node, netip.MustParseAddrPort("["+node6+"]:80"), "node")
	b.assertAnswers(b.outside, "["+node6+"]:80", "node to "+outside6)
	b.answering(b.outside, nodeAddress+":80", outsideAddress, 5)
	for _, client := range []string{outside6, client6} {
		conn := b.dialAs(node, netip.MustParseAddr(client), netip.MustParseAddrPort("["+two6+"]:3000"))
		if got, err := b.readLine(conn); err != nil || got != "two to "+client {
			t.Errorf("a connection as %s: got %q, %v", client, got, err)
		}
		b.assertAlive(conn)
	}
}
