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
// routes to other destinations.
func (r *router) routes(vpc VPC) []route {
	var all []route
	for _, block := range slices.Concat(vpc.CIDRs, vpc.IPv6) {
		all = append(all, route{table: unix.RT_TABLE_MAIN, to: block.Masked(), metric: lastResortMetric})
	}
	for _, i := range vpc.Interfaces {
		all = append(all, r.interfaceRoutes(i)...)
	}
	for _, s := range vpc.Subnets {
		table := int(subnetMark(s.ID))
		for _, to := range r.defaults() {
			all = append(all, route{table: table, to: to, metric: lastResortMetric})
		}
		if r.ipv6 {
			all = append(all, route{table: table, to: nat64.Prefix, metric: lastResortMetric})
		}
		for _, entry := range s.Routes {
			if entry.Via != Local && (r.ipv6 || entry.Destination.Addr().Is4()) {
				hop := r.nextHop(entry)
				hop.table, hop.to = table, entry.Destination.Masked()
				all = append(all, hop)
			}
		}
	}
	return all
}

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
	}
	return all
}

// The priorities of routing rules decide the order of lookups. Replies that return to a load
// balancer's node go there whatever their destination. The main table (at 32766) has the VPC,
// the subnets' tables have everything else, and the last rule drops what none has a route for.
const (
	returnPriority = 20000
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

// compareRulesOf compares the routing rules of one family. The missing ones have their marks as
// keys.
func (r *router) compareRulesOf(
	vpc VPC, family int,
) (missing map[uint32]*netlink.Rule, stale []*netlink.Rule, err error) {
	present, err := r.netlink.RuleList(family)
	if err != nil {
		return nil, nil, fmt.Errorf("list routing rules: %w", err)
	}
	missing = map[uint32]*netlink.Rule{}
	add := func(priority int, mark uint32) *netlink.Rule {
		rule := netlink.NewRule()
		rule.Priority, rule.Mark, rule.Family = priority, mark, family
		missing[mark] = rule
		return rule
	}
	add(lastPriority, 0).Type = unix.RTN_BLACKHOLE
	for _, s := range vpc.Subnets {
		add(subnetPriority, subnetMark(s.ID)).Table = int(subnetMark(s.ID))
	}
	for _, i := range vpc.Interfaces {
		if i.Balances && family == netlink.FAMILY_V4 {
			add(returnPriority, returnMark(i.ID)).Table = int(returnMark(i.ID))
		}
	}
	for _, rule := range present {
		if !slices.Contains([]int{returnPriority, subnetPriority, lastPriority}, rule.Priority) {
			continue
		}
		if _, ok := missing[rule.Mark]; ok {
			delete(missing, rule.Mark)
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
