//go:build linux && root

package network

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/balancer/keeper"
	"aloft.dev/aloft/internal/cloud/plane/balancer/socket"
	"aloft.dev/aloft/internal/cloud/plane/firewall"
)

const (
	nodeAddress    = "203.0.113.40"
	clientAddress  = "10.0.2.20"
	outsideAddress = "203.0.113.22"
)

// balanced is a VPC with the node of a Network Load Balancer at 10.0.1.6, two targets that
// serve TCP port 3000 and UDP port 5000, a client in the VPC and one outside of it.
type balanced struct {
	*site
	one, two, client, outside string // namespaces
	groups                    []firewall.SecurityGroup
	nodeGroups, targetGroups  []string
	nodeACL                   *firewall.ACL // of the node's subnet; nil: no filtering
}

func newBalanced(t *testing.T) *balanced {
	s := newSite(t)
	b := &balanced{
		site: s, one: s.machine("one", 3000), two: s.machine("two", 3000), client: s.machine("client"),
		outside: s.machine("outside"), targetGroups: []string{openGroup.ID},
	}
	s.serveUDP(b.one, 5000)
	s.serveUDP(b.two, 5000)
	return b
}

// serve makes the node serve.
func (b *balanced) serve(services ...firewall.Service) {
	b.Helper()
	node := withPublicIP(Interface{
		ID: "eni-node", SubnetID: "subnet-av", Private: netip.MustParseAddr("10.0.1.6"), SourceDestCheck: true,
		OwnNamespace: true, Balances: true, Services: services, SecurityGroups: b.nodeGroups,
		Unfiltered: len(b.nodeGroups) == 0,
	}, nodeAddress)
	v := withGateway(newVPC(
		"v", eni("v", "10.0.1.10", b.one, b.targetGroups...), eni("v", "10.0.2.10", b.two, b.targetGroups...),
		eni("v", clientAddress, b.client), node,
	))
	v.SecurityGroups, v.Subnets[0].ACL = append(slices.Clone(v.SecurityGroups), b.groups...), b.nodeACL
	b.set(v, withGateway(newVPC("w", withPublicIP(eni("w", "10.0.1.10", b.outside), outsideAddress))))
}

// to returns the targets with what becomes of flows to them.
func to(port uint16, one, two firewall.Flows) []firewall.Backend {
	at := func(address string) netip.AddrPort { return netip.AddrPortFrom(netip.MustParseAddr(address), port) }
	return []firewall.Backend{{At: at("10.0.1.10"), Flows: one}, {At: at("10.0.2.10"), Flows: two}}
}

// tcpService is a listener at port 80 that keeps clients' addresses.
func tcpService(backends []firewall.Backend) firewall.Service {
	return firewall.Service{Protocols: []string{"tcp"}, Port: 80, Preserve: true, Backends: backends}
}

// answering returns how many of n connections each target answers, and checks that it saw the
// source that it should.
func (b *balanced) answering(from, to, source string, n int) map[string]int {
	b.Helper()
	count := map[string]int{}
	for range n {
		conn, greeting, err := b.dial(from, to)
		name, saw, _ := strings.Cut(greeting, " to ")
		if err != nil || saw != source {
			b.Fatalf("connection to %s: greeting %q, %v; want one to %s", to, greeting, err, source)
		}
		count[name]++
		_ = conn.Close()
	}
	return count
}

// assertReset asserts that a connection has ended: what it sends is answered with a reset.
func (b *balanced) assertReset(conn interface {
	Write(p []byte) (int, error)
	Read(p []byte) (int, error)
}) {
	b.Helper()
	_, err := conn.Write([]byte("still there?\n"))
	if err == nil {
		_, err = conn.Read(make([]byte, 1))
	}
	if !errors.Is(err, unix.ECONNRESET) {
		b.Fatalf("the connection has not been reset: %v", err)
	}
}

// Clients in the VPC, in another one and on the host reach all targets through the node, and
// targets see their addresses or that of the node.
func TestRealNetworkLoadBalancerForwardsFlows(t *testing.T) {
	b := newBalanced(t)
	both := to(3000, firewall.Begin, firewall.Begin)
	datagrams := firewall.Service{
		Protocols: []string{"udp"}, Port: 53, Preserve: true, Backends: to(5000, firewall.Begin, firewall.Begin),
	}
	b.serve(tcpService(both), datagrams)
	for _, from := range []struct{ namespace, at, source string }{
		{b.client, "10.0.1.6", clientAddress},
		{b.client, nodeAddress, ""}, // without a public address it has no way there
		{b.outside, nodeAddress, outsideAddress},
		{hostNamespace, nodeAddress, b.plane.HostAddress().String()},
	} {
		if from.source == "" {
			b.assertSilent(from.namespace, from.at+":80")
			continue
		}
		if count := b.answering(from.namespace, from.at+":80", from.source, 40); len(count) != 2 {
			t.Errorf("of 40 connections from %s, targets answered %v", from.source, count)
		}
		if answer := b.askUDP(from.namespace, from.at+":53"); answer != from.source {
			t.Errorf("a target of UDP answers %q, which is not the client's address %s", answer, from.source)
		}
		b.assertSilent(from.namespace, from.at+":81")
	}
	b.assertAnswers(b.plane.NodeNamespace("eni-node"), "10.0.1.10:3000", "one to 10.0.1.6") // as a health check does

	flows, err := b.plane.Flows("eni-node")
	tcp, udp := flows["tcp"], flows["udp"]
	if err != nil || tcp.FlowCount.Flows != 120 || tcp.Active != 0 || tcp.Bytes < 120*6*40 ||
		udp.FlowCount.Flows != 3 || udp.Active != 3 || udp.Bytes == 0 {
		t.Errorf("flows are %+v, %v", flows, err)
	}

	hidden := tcpService(both)
	hidden.Preserve = false
	b.serve(hidden)
	b.answering(b.client, "10.0.1.6:80", "10.0.1.6", 5)
	b.answering(b.outside, nodeAddress+":80", "10.0.1.6", 5)

	sticky := tcpService(both)
	sticky.ByClient = true
	b.serve(sticky)
	if count := b.answering(b.outside, nodeAddress+":80", outsideAddress, 20); len(count) != 1 {
		t.Errorf("the connections of a client reached %v", count)
	}
}

// Flows end or continue as a target's state demands, also those that began before the daemon
// did.
func TestRealNetworkLoadBalancerFailsOver(t *testing.T) {
	b := newBalanced(t)
	only := func(one, two firewall.Flows) { t.Helper(); b.serve(tcpService(to(3000, one, two))) }
	reached := func(want string) {
		t.Helper()
		if count := b.answering(b.outside, nodeAddress+":80", outsideAddress, 20); count[want] != 20 {
			t.Errorf("of 20 connections, targets answered %v; want all from %s", count, want)
		}
	}
	only(firewall.Begin, firewall.Continue)
	drained := b.assertAnswers(b.outside, nodeAddress+":80", "one")
	only(firewall.Continue, firewall.Begin)
	reached("two")
	b.assertAlive(drained)
	b.restartPlane()
	only(firewall.Continue, firewall.Begin)
	b.assertAlive(drained)

	failed := b.assertAnswers(b.outside, nodeAddress+":80", "two")
	only(firewall.Begin, firewall.End)
	reached("one")
	b.assertReset(failed)
	b.assertAlive(drained)

	// The deregistration of one is over, and then its flows are to end.
	gone := tcpService(to(3000, firewall.Begin, firewall.Begin)[1:])
	b.serve(gone)
	reached("two")
	b.assertAlive(drained)
	gone.EndOthers = true
	b.serve(gone)
	b.assertReset(drained)
	if flows, err := b.plane.Flows("eni-node"); err != nil || flows["tcp"].OwnResets < 2 {
		t.Errorf("flows are %+v, %v", flows, err)
	}

	b.serve()
	b.assertSilent(b.outside, nodeAddress+":80")
}

// The security groups of the load balancer filter clients. Those of targets admit what comes
// through the load balancer by its security group, and not what comes directly.
func TestRealNetworkLoadBalancerHasSecurityGroups(t *testing.T) {
	b := newBalanced(t)
	everything := []firewall.Rule{{Protocol: "-1", CIDR: world}}
	b.groups = []firewall.SecurityGroup{
		{ID: "sg-node", Egress: everything, Ingress: []firewall.Rule{
			{Protocol: "tcp", FromPort: 80, ToPort: 80, CIDR: netip.MustParsePrefix(outsideAddress + "/32")},
		}},
		{ID: "sg-target", Egress: everything, Ingress: []firewall.Rule{
			{Protocol: "tcp", FromPort: 3000, ToPort: 3000, SecurityGroup: "sg-node"},
		}},
	}
	b.nodeGroups, b.targetGroups = []string{"sg-node"}, []string{"sg-target"}
	b.serve(tcpService(to(3000, firewall.Begin, firewall.Begin)))
	b.answering(b.outside, nodeAddress+":80", outsideAddress, 5)
	b.assertAnswers(b.plane.NodeNamespace("eni-node"), "10.0.2.10:3000", "two to 10.0.1.6")
	b.assertSilent(b.client, "10.0.1.6:80")
	b.assertSilent(b.client, "10.0.1.10:3000")

	b.groups[0].Egress = nil
	b.serve(tcpService(to(3000, firewall.Begin, firewall.Begin)))
	b.assertSilent(b.outside, nodeAddress+":80")
}

// The network ACL of the node's subnet filters clients and the replies of targets in other
// subnets.
func TestRealNetworkLoadBalancerPassesNetworkACLs(t *testing.T) {
	b := newBalanced(t)
	allow := func(number int, cidr string) firewall.ACLRule {
		return firewall.ACLRule{Number: number, Allow: true, Protocol: "-1", CIDR: netip.MustParsePrefix(cidr)}
	}
	everything := []firewall.ACLRule{allow(1, "0.0.0.0/0")}
	clients, targets := allow(1, outsideAddress+"/32"), allow(2, "10.0.2.0/24")
	service := tcpService(to(3000, firewall.Begin, firewall.Begin)[1:])
	for _, c := range []struct {
		name            string
		ingress, egress []firewall.ACLRule
		passes          bool
	}{
		{"what is needed", []firewall.ACLRule{clients, targets}, []firewall.ACLRule{clients, targets}, true},
		{"nothing from clients", []firewall.ACLRule{targets}, everything, false},
		{"nothing from targets", []firewall.ACLRule{clients}, everything, false},
		{"nothing to clients", everything, []firewall.ACLRule{targets}, false},
		{"nothing to targets", everything, []firewall.ACLRule{clients}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			b.nodeACL = &firewall.ACL{Ingress: c.ingress, Egress: c.egress}
			b.serve(service)
			if c.passes {
				b.answering(b.outside, nodeAddress+":80", outsideAddress, 5)
			} else {
				b.assertSilent(b.outside, nodeAddress+":80")
			}
		})
	}
}

func TestRealDamageOfANetworkLoadBalancerIsFoundAndRepaired(t *testing.T) {
	b := newBalanced(t)
	service := tcpService(to(3000, firewall.Begin, firewall.Begin))
	b.serve(service)
	b.inNamespaceOf(b.plane.NodeNamespace("eni-node"), "nft", "flush", "ruleset")
	changes, err := b.plane.Audit()
	want := "v: the firewall of the load balancer with eni-node was changed"
	if found := strings.Join(changes, "\n"); err != nil || found != want {
		t.Fatalf("got %v, %q", err, found)
	}
	b.serve(service)
	b.answering(b.outside, nodeAddress+":80", outsideAddress, 5)
}

// A process of the node accepts connections at ports of TLS listeners, and at no others. It
// connects to targets with the addresses of clients, and gets what they answer.
func TestRealNetworkLoadBalancerTerminatesConnections(t *testing.T) {
	b := newBalanced(t)
	terminates := firewall.Service{Protocols: []string{"tcp"}, Port: 443, Terminates: true}
	b.serve(terminates, tcpService(to(3000, firewall.Begin, firewall.Begin)))
	node := b.plane.NodeNamespace("eni-node")
	for _, port := range []uint16{443, 444} {
		b.serveGreeting(node, netip.AddrPortFrom(netip.MustParseAddr("10.0.1.6"), port), "node")
	}
	for range 2 {
		b.assertAnswers(b.outside, nodeAddress+":443", "node to "+outsideAddress)
		b.assertAnswers(b.client, "10.0.1.6:443", "node to "+clientAddress)
		b.assertSilent(b.outside, nodeAddress+":444")
		b.answering(b.outside, nodeAddress+":80", outsideAddress, 5) // flows are forwarded beside it
		for _, client := range []string{outsideAddress, clientAddress, b.plane.HostAddress().String()} {
			conn := b.dialAs(node, netip.MustParseAddr(client), netip.MustParseAddrPort("10.0.2.10:3000"))
			if got, err := b.readLine(conn); err != nil || got != "two to "+client {
				t.Errorf("a connection as %s: got %q, %v", client, got, err)
			}
			b.assertAlive(conn)
		}
		b.restartPlane()
		b.serve(terminates, tcpService(to(3000, firewall.Begin, firewall.Begin)))
	}
	b.serve(tcpService(to(3000, firewall.Begin, firewall.Begin)))
	b.assertSilent(b.outside, nodeAddress+":443")
}

// dialAs connects from a namespace with the address of another host.
func (b *balanced) dialAs(namespace string, client netip.Addr, to netip.AddrPort) net.Conn {
	b.Helper()
	k := &keeper.Keeper{}
	in, err := k.Find(namespace)
	if err != nil {
		b.Fatal(err)
	}
	fds, err := k.Connecting(in, socket.FamilyOf(client), 1)
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(b.Context(), silenceTimeout)
	defer cancel()
	conn, err := socket.DialAs(ctx, fds[0], netip.AddrPortFrom(client, 0), to)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close() })
	return conn
}
