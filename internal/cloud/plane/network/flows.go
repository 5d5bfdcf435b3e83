//go:build linux

package network

import (
	"fmt"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/firewall"
)

// Flows configures what a node of a Network Load Balancer forwards of one protocol.
type Flows struct {
	firewall.FlowCount     // since the node's namespace was set up, or a daemon took it over
	Active             int // open now
}

// Flows returns what the node with a network interface forwards, by protocol: "tcp" and "udp".
func (p *Plane) Flows(interfaceID string) (map[string]Flows, error) {
	n, err := openNamespace(p.NodeNamespace(interfaceID), unix.NETLINK_NETFILTER)
	if err != nil {
		return nil, err
	}
	defer func() { _ = n.close() }()
	counts, err := firewall.FlowCounts(n.fd())
	if err != nil {
		return nil, err
	}
	var tracked []*netlink.ConntrackFlow
	for _, family := range []firewall.Family{firewall.IPv4, firewall.IPv6} {
		of, err := n.netlink.ConntrackTableList(netlink.ConntrackTable, familyNumber(family))
		if err != nil {
			return nil, fmt.Errorf("list flows in %s: %w", n.path, err)
		}
		tracked = append(tracked, of...)
	}
	flows := map[string]Flows{}
	for protocol, count := range counts {
		flows[protocol] = Flows{FlowCount: count}
	}
	for _, flow := range tracked {
		if protocol := transportOf(flow); isForwarded(flow) && isOpen(flow) {
			f := flows[protocol]
			f.Active++
			flows[protocol] = f
		}
	}
	return flows, nil
}

// transportOf returns the name of a flow's protocol.
func transportOf(flow *netlink.ConntrackFlow) string {
	return map[uint8]string{unix.IPPROTO_TCP: "tcp", unix.IPPROTO_UDP: "udp"}[flow.Forward.Protocol]
}

// isForwarded reports whether a node forwards the flow to a target. The others are its own,
// such as health checks.
func isForwarded(flow *netlink.ConntrackFlow) bool {
	return !flow.Forward.DstIP.Equal(flow.Reverse.SrcIP)
}

// isOpen reports whether a flow counts as active: one of TCP does until it is established, and
// while it is (Network Load Balancer guide, CloudWatch metrics: ActiveFlowCount).
func isOpen(flow *netlink.ConntrackFlow) bool {
	state, ok := flow.ProtoInfo.(*netlink.ProtoInfoTCP)
	return !ok || state.State <= nl.TCP_CONNTRACK_ESTABLISHED
}
