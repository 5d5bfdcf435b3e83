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

// forwarder is this process's knowledge of a namespace that forwards packets: that of a NAT
// gateway or of a node of a Network Load Balancer.
type forwarder struct {
	owner       string // "NAT gateway" or "load balancer"
	namespaceID namespaceID
	ruleset     appliedRuleset
	ipv6        bool               // there is a ruleset of IPv6
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

// forwarding6Sysctls make a namespace forward IPv6. The plane sets its routes, and no advertisement
// changes them.
var forwarding6Sysctls = []sysctl{{"ipv6/conf/all/accept_ra", "0"}, {ipv6Forwarding, "1"}}

// forwarding is how a namespace forwards packets.
type forwarding struct {
	owner    string             // empty: it does not
	rulesets []firewall.Ruleset // one for each family
	settings []sysctl
	services []firewall.Service
	counts   bool // flows
}

// families returns the address families whose packets the namespace forwards.
func (f forwarding) families() (all []firewall.Family) {
	for _, r := range f.rulesets {
		all = append(all, r.Family)
	}
	return all
}

// forwardingOf returns how the namespace of an interface forwards packets.
func forwardingOf(vpc VPC, i Interface) forwarding {
	switch {
	case i.Translates:
		t := firewall.Translator{Device: machineDevice(0), CIDRs: vpc.CIDRs, Sources: i.sources()}
		return forwarding{"NAT gateway", []firewall.Ruleset{t.Ruleset(nftTable)}, translatorSysctls, nil, false}
	case i.Balances:
		rulesets := []firewall.Ruleset{i.balancer(i.Private).Ruleset(nftTable)}
		if len(i.IPv6) > 0 {
			rulesets = append(rulesets, i.balancer(i.IPv6[0]).Ruleset(nftTable))
		}
		return forwarding{"load balancer", rulesets, balancerSysctls, i.Services, true}
	}
	return forwarding{}
}

// sources returns the addresses that a NAT gateway gives to new flows.
func (i Interface) sources() (all []netip.Addr) {
	for _, address := range i.addresses() {
		if !slices.Contains(i.Draining, address.Private) {
			all = append(all, address.Private)
		}
	}
	return all
}

// balancer describes the node with the interface to the family of an address of it.
func (i Interface) balancer(address netip.Addr) firewall.Balancer {
	b := firewall.Balancer{Address: address}
	for _, s := range i.Services {
		if s.Family == firewall.FamilyOf(address) {
			b.Services = append(b.Services, s)
		}
	}
	return b
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
	known := f.ruleset.text == textOf(desired.rulesets)
	if known && reflect.DeepEqual(f.services, desired.services) {
		return nil
	}
	n, err := openNamespace(path, unix.NETLINK_NETFILTER)
	if err != nil {
		return err
	}
	defer func() { _ = n.close() }()
	if !known {
		if err := f.start(n, desired); err != nil {
			return err
		}
	}
	if err := n.endFlows(desired); err != nil {
		return err
	}
	f.services = desired.services
	return nil
}

// start makes the namespace forward packets as desired.
func (f *forwarder) start(n *namespace, desired forwarding) error {
	if desired.counts {
		var counters []firewall.Ruleset
		for _, family := range desired.families() {
			counters = append(counters, firewall.FlowCounter(family))
		}
		if err := f.counter.set(n, counters...); err != nil {
			return err
		}
	}
	ipv6 := slices.Contains(desired.families(), firewall.IPv6)
	if f.ipv6 && !ipv6 {
		if err := firewall.Remove(n.fd(), nftTable, firewall.IPv6); err != nil {
			return err
		}
	}
	if err := f.ruleset.set(n, desired.rulesets...); err != nil {
		return err
	}
	f.ipv6 = ipv6
	if err := inNamespace(n.path, func() error { return startForwarding(desired.settings, ipv6) }); err != nil {
		return err
	}
	if !desired.counts {
		return nil
	}
	for _, family := range desired.families() {
		if err := n.keepMarked(family); err != nil {
			return err
		}
	}
	return nil
}

// startForwarding makes the calling thread's namespace forward packets.
func startForwarding(settings []sysctl, ipv6 bool) error {
	if err := writeSysctls(forwardingSysctls); err != nil {
		return err
	}
	if ipv6 {
		if err := writeSysctls(forwarding6Sysctls); err != nil {
			return err
		}
	}
	if err := forgetFlows(); err != nil {
		return err
	}
	return writeSysctls(settings)
}

// endFlows makes the namespace forget the flows of services that are to end.
func (n *namespace) endFlows(desired forwarding) error {
	for _, family := range desired.families() {
		toEnd := flowsToEnd(slices.DeleteFunc(slices.Clone(desired.services), func(s firewall.Service) bool {
			return s.Family != family
		}))
		if len(toEnd) == 0 {
			continue
		}
		if _, err := n.netlink.ConntrackDeleteFilters(netlink.ConntrackTable, familyNumber(family), toEnd); err != nil {
			return fmt.Errorf("end flows in %s: %w", n.path, err)
		}
	}
	return nil
}

// familyNumber returns the kernel's number of a family.
func familyNumber(family firewall.Family) netlink.InetFamily {
	if family == firewall.IPv6 {
		return netlink.FAMILY_V6
	}
	return netlink.FAMILY_V4
}

// flowsToEnd matches the flows of services, of one family, that are to end.
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
