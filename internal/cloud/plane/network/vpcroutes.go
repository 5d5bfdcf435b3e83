//go:build linux

package network

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/nat64"
)

// The destinations of default routes.
var (
	everywhere  = netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	everywhere6 = netip.PrefixFrom(netip.IPv6Unspecified(), 0)
)

// defaults returns the destinations of the default routes that a namespace can have.
func (n *namespace) defaults() []netip.Prefix {
	if n.ipv6 {
		return []netip.Prefix{everywhere, everywhere6}
	}
	return []netip.Prefix{everywhere}
}

// routes returns the router's routes. The main table has one to each attached
// interface and a black hole for the rest of the VPC. Each subnet's table has the
// routes to other destinations, and a further one those that lead to parts of the VPC by a machine.
func (r *router) routes(vpc VPC) []route {
	var all []route
	for _, block := range slices.Concat(vpc.CIDRs, vpc.IPv6) {
		all = append(all, route{table: unix.RT_TABLE_MAIN, to: block.Masked(), metric: lastResortMetric})
	}
	for _, i := range vpc.Interfaces {
		all = append(all, r.interfaceRoutes(i)...)
	}
	all = append(all, r.ingressRoutes(vpc)...)
	for _, s := range vpc.Subnets {
		table := int(subnetMark(s.ID))
		for _, to := range r.defaults() {
			all = append(all, route{table: table, to: to, metric: lastResortMetric})
		}
		if r.ipv6 {
			all = append(all, route{table: table, to: nat64.Prefix, metric: lastResortMetric})
		}
		all = append(all, r.passOwn(vpc, s)...)
		for _, entry := range s.Routes {
			if entry.Via == Local || entry.within(s) || !r.ipv6 && entry.Destination.Addr().Is6() {
				continue
			}
			hop := r.nextHop(entry)
			hop.table, hop.to = table, entry.Destination.Masked()
			if vpc.leadsWithin(entry) {
				hop.table = withinTable(s.ID)
			}
			all = append(all, hop)
		}
	}
	return all
}

// passOwn returns the routes that keep packets between machines of a subnet from the routes that
// lead to parts of the VPC, if the subnet has such routes: on AWS, too, they are no concern of route
// tables.
func (r *router) passOwn(vpc VPC, s Subnet) (all []route) {
	if !vpc.routesWithin(s) {
		return nil
	}
	if s.CIDR.IsValid() {
		all = append(all, route{table: withinTable(s.ID), to: s.CIDR.Masked(), pass: true})
	}
	if r.ipv6 && s.IPv6.IsValid() {
		all = append(all, route{table: withinTable(s.ID), to: s.IPv6.Masked(), pass: true})
	}
	return all
}

// within reports whether the destination is inside the subnet.
func (entry Route) within(s Subnet) bool {
	return covers(s.CIDR, entry.Destination) || covers(s.IPv6, entry.Destination)
}

// covers reports whether a block contains all addresses of another one.
func covers(block, other netip.Prefix) bool {
	return block.IsValid() && block.Bits() <= other.Bits() && block.Contains(other.Addr())
}

// leadsWithin reports whether a route leads to a part of the VPC, but not as the local route does.
func (vpc VPC) leadsWithin(entry Route) bool {
	return entry.Via != Local && slices.ContainsFunc(
		slices.Concat(vpc.CIDRs, vpc.IPv6), func(block netip.Prefix) bool { return covers(block, entry.Destination) },
	)
}

// routesWithin reports whether a subnet has routes to parts of the VPC besides the local ones.
func (vpc VPC) routesWithin(s Subnet) bool { return slices.ContainsFunc(s.Routes, vpc.leadsWithin) }

// isOutside reports whether the target is beyond the edge.
func (t Target) isOutside() bool { return t == Gateway || t == EgressOnlyGateway || t == NAT64 }

// isTranslated reports whether a destination stands for IPv4 addresses.
func isTranslated(destination netip.Prefix) bool { return nat64.Prefix.Contains(destination.Addr()) }

// nextHop returns the device and the next hop of a route of a subnet, or a black hole.
func (r *router) nextHop(entry Route) route {
	edge := r.addresses.of(entry.Destination.Addr()).edge
	if isTranslated(entry.Destination) && entry.Via != NAT64 {
		return route{} // nobody but NAT gateways translates
	}
	a := r.attached[entry.Interface]
	switch {
	case entry.Via.isOutside() && r.uplinkIndex != 0:
		return route{device: r.uplinkIndex, via: edge}
	case entry.Via == ToInterface && a.forwards && a.primary(entry.Destination.Addr()).IsValid():
		return route{device: a.index, via: a.primary(entry.Destination.Addr())}
	case entry.Via == PeerVPC && r.peers[entry.Peer] != 0:
		return route{device: r.peers[entry.Peer], via: edge}
	}
	return route{}
}

// interfaceRoutes returns the routes to the addresses of an interface, if it is attached. The
// table of a load balancer's node leads all replies back to it.
func (r *router) interfaceRoutes(i Interface) (all []route) {
	a, ok := r.attached[i.ID]
	if !ok {
		return nil
	}
	for _, address := range a.all() {
		all = append(all, route{table: unix.RT_TABLE_MAIN, to: hostPrefix(address), device: a.index})
	}
	if i.Balances {
		all = append(all, route{table: int(returnMark(i.ID)), to: everywhere, device: a.index, via: i.Private})
		if len(i.IPv6) > 0 {
			all = append(all, route{table: int(returnMark(i.ID)), to: everywhere6, device: a.index, via: i.IPv6[0]})
		}
	}
	return all
}

// The priorities of routing rules decide the order of lookups. Replies that return to a load
// balancer's node go there whatever their destination. Subnets whose routes lead to parts of the
// VPC, and an internet gateway with such routes, look there next. The main table (at 32766) has the
// VPC, the subnets' tables have everything else, and the last rule drops what none has a route for.
const (
	returnPriority = 20000
	withinPriority = 30000
	subnetPriority = 40000
	lastPriority   = 50000
)

// compareRoutingRules compares the rules with which packets with the mark of a subnet or of a
// node use its routing table with those of the kernel.
func (r *router) compareRoutingRules(vpc VPC) (missing, stale []*netlink.Rule, err error) {
	for _, family := range r.families() {
		missingOfFamily, staleOfFamily, err := r.compareRulesOf(vpc, family)
		if err != nil {
			return nil, nil, err
		}
		missing = slices.AppendSeq(missing, maps.Values(missingOfFamily))
		stale = append(stale, staleOfFamily...)
	}
	return missing, stale, nil
}

// rulePlace identifies a routing rule within its family.
type rulePlace struct {
	priority int
	mark     uint32
}

// compareRulesOf compares the routing rules of one family.
func (r *router) compareRulesOf(
	vpc VPC, family int,
) (missing map[rulePlace]*netlink.Rule, stale []*netlink.Rule, err error) {
	present, err := r.netlink.RuleList(family)
	if err != nil {
		return nil, nil, fmt.Errorf("list routing rules: %w", err)
	}
	missing = map[rulePlace]*netlink.Rule{}
	add := func(priority int, mark uint32) *netlink.Rule {
		rule := netlink.NewRule()
		rule.Priority, rule.Mark, rule.Family = priority, mark, family
		missing[rulePlace{priority, mark}] = rule
		return rule
	}
	add(lastPriority, 0).Type = unix.RTN_BLACKHOLE
	for _, s := range vpc.Subnets {
		add(subnetPriority, subnetMark(s.ID)).Table = int(subnetMark(s.ID))
		if vpc.routesWithin(s) {
			add(withinPriority, subnetMark(s.ID)).Table = withinTable(s.ID)
		}
	}
	if vpc.routesIngress() {
		add(withinPriority, ingressMark(vpc.ID)).Table = int(ingressMark(vpc.ID))
	}
	for _, i := range vpc.Interfaces {
		if i.Balances && (family == netlink.FAMILY_V4 || len(i.IPv6) > 0) {
			add(returnPriority, returnMark(i.ID)).Table = int(returnMark(i.ID))
		}
	}
	for _, rule := range present {
		if !slices.Contains([]int{returnPriority, withinPriority, subnetPriority, lastPriority}, rule.Priority) {
			continue
		}
		place := rulePlace{rule.Priority, rule.Mark}
		if _, ok := missing[place]; ok {
			delete(missing, place)
			continue
		}
		other := netlink.NewRule()
		other.Priority, other.Mark, other.Table, other.Family = rule.Priority, rule.Mark, rule.Table, family
		stale = append(stale, other)
	}
	return missing, stale, nil
}

// setRoutingRules makes packets with a mark use the routing table of its subnet or node.
func (r *router) setRoutingRules(vpc VPC) error {
	missing, stale, err := r.compareRoutingRules(vpc)
	if err != nil {
		return err
	}
	for _, rule := range stale {
		if err := r.netlink.RuleDel(rule); err != nil && !errors.Is(err, unix.ENOENT) {
			return fmt.Errorf("remove routing rule: %w", err)
		}
	}
	for _, rule := range missing {
		if err := r.netlink.RuleAdd(rule); err != nil {
			return fmt.Errorf("add routing rule: %w", err)
		}
	}
	return nil
}
