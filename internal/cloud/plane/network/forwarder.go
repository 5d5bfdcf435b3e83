//go:build linux

package network

import (
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/firewall"
)

// forwarder is what this process knows of a namespace that forwards packets: that of a NAT
// gateway or of a node of a Network Load Balancer.
type forwarder struct {
	owner       string // "NAT gateway" or "load balancer"
	namespaceID namespaceID
	ruleset     appliedRuleset
	services    []firewall.Service // for which flows have ended that are to end
	counter     appliedRuleset     // counts flows, if it belongs to a load balancer
}

// translatorSysctls make a namespace forget an idle TCP connection after as long as a
// NAT gateway of AWS does (Amazon VPC User Guide, Troubleshoot NAT gateways).
var translatorSysctls = []sysctl{{"netfilter/nf_conntrack_tcp_timeout_established", "350"}}

// balancerSysctls make a namespace forget idle flows after as long as a Network Load Balancer
// does, and treat a packet of a forgotten TCP connection as invalid (Network Load Balancer
// guide, Connection idle timeout).
var balancerSysctls = []sysctl{
	{"netfilter/nf_conntrack_tcp_timeout_established", "350"}, {"netfilter/nf_conntrack_tcp_loose", "0"},
	{"netfilter/nf_conntrack_udp_timeout", "120"}, {"netfilter/nf_conntrack_udp_timeout_stream", "120"},
}

// forwarding is how a namespace forwards packets.
type forwarding struct {
	owner    string // empty: it does not
	ruleset  firewall.Ruleset
	settings []sysctl
	services []firewall.Service
	counts   bool // flows
}

// forwardingOf returns how the namespace of an interface forwards packets.
func forwardingOf(vpc VPC, i Interface) forwarding {
	switch {
	case i.Translates:
		t := firewall.Translator{Device: machineDevice(0), CIDRs: vpc.CIDRs, Private: i.Private}
		return forwarding{"NAT gateway", t.Ruleset(nftTable), translatorSysctls, nil, false}
	case i.Balances:
		b := firewall.Balancer{Address: i.Private, Services: i.Services}
		return forwarding{"load balancer", b.Ruleset(nftTable), balancerSysctls, i.Services, true}
	}
	return forwarding{}
}

// applyForwarders makes the namespaces of the VPC's NAT gateways and load balancers' nodes
// forward packets, before they are attached.
func (r *router) applyForwarders(vpc VPC, desired map[string]attachment) error {
	var problems error
	present := map[string]*forwarder{}
	for _, i := range vpc.Interfaces {
		a, ok := desired[i.ID]
		desired := forwardingOf(vpc, i)
		if !ok || desired.owner == "" {
			continue
		}
		f, ok := r.forwarders[i.ID]
		if !ok || f.namespaceID != a.namespaceID {
			f = &forwarder{owner: desired.owner, namespaceID: a.namespaceID}
		}
		if err := f.apply(a.namespace, desired); err != nil {
			problems = errors.Join(problems, fmt.Errorf("set up NAT of interface %s: %w", i.ID, err))
		}
		present[i.ID] = f
	}
	r.forwarders = present
	return problems
}

// apply makes the namespace at path forward packets as desired, and ends the flows of services
// that are to end.
func (f *forwarder) apply(path string, desired forwarding) error {
	known := f.ruleset.text == desired.ruleset.String()
	if known && reflect.DeepEqual(f.services, desired.services) {
		return nil
	}
	n, err := openNamespace(path, unix.NETLINK_NETFILTER)
	if err != nil {
		return err
	}
	defer func() { _ = n.close() }()
	if desired.counts {
		if err := f.counter.set(n, firewall.FlowCounter()); err != nil {
			return err
		}
	}
	if !known {
		if err := f.ruleset.set(n, desired.ruleset); err != nil {
			return err
		}
		if err := inNamespace(path, func() error { return startForwarding(desired.settings) }); err != nil {
			return err
		}
		if desired.counts {
			if err := n.keepMarked(); err != nil {
				return err
			}
		}
	}
	if err := n.endFlows(desired.services); err != nil {
		return err
	}
	f.services = desired.services
	return nil
}

// startForwarding makes the calling thread's namespace forward packets.
func startForwarding(settings []sysctl) error {
	if err := writeSysctls(forwardingSysctls); err != nil {
		return err
	}
	if err := forgetFlows(); err != nil {
		return err
	}
	return writeSysctls(settings)
}

// endFlows makes the namespace forget the flows of services that are to end.
func (n *namespace) endFlows(services []firewall.Service) error {
	if len(services) == 0 {
		return nil
	}
	_, err := n.netlink.ConntrackDeleteFilters(netlink.ConntrackTable, netlink.FAMILY_V4, flowsToEnd(services))
	if err != nil {
		return fmt.Errorf("end flows in %s: %w", n.path, err)
	}
	return nil
}

// flowsToEnd matches the flows of services that are to end.
type flowsToEnd []firewall.Service

var _ netlink.CustomConntrackFilter = flowsToEnd(nil)

// MatchConntrackFlow reports whether the flow is one to end.
func (services flowsToEnd) MatchConntrackFlow(flow *netlink.ConntrackFlow) bool {
	at, ok := netip.AddrFromSlice(flow.Reverse.SrcIP)
	if !ok || !isForwarded(flow) {
		return false
	}
	for _, s := range services {
		if s.Port == flow.Forward.DstPort && slices.Contains(s.Protocols, transportOf(flow)) {
			return s.Ends(netip.AddrPortFrom(at.Unmap(), flow.Reverse.SrcPort))
		}
	}
	return false
}

// auditForwarders compares the rulesets of namespaces that forward packets with those that
// were applied.
func (r *router) auditForwarders() (changes []string, err error) {
	for id, f := range r.forwarders {
		n, err := openNamespace(r.attached[id].namespace)
		if err != nil {
			return nil, fmt.Errorf("audit NAT of interface %s: %w", id, err)
		}
		changed, err := f.ruleset.isChanged(n)
		if err := errors.Join(err, n.close()); err != nil {
			return nil, fmt.Errorf("audit NAT of interface %s: %w", id, err)
		}
		if changed {
			f.counter = appliedRuleset{}
			changes = append(changes, "the firewall of the "+f.owner+" with "+id+" was changed")
			f.ruleset = appliedRuleset{}
		}
	}
	return changes, nil
}
