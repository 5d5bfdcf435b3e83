//go:build linux

package network

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// everywhere is the destination of default routes.
var everywhere = netip.PrefixFrom(netip.IPv4Unspecified(), 0)

// routes returns the router's routes. The main table has one to each attached
// interface and a black hole for the rest of the VPC. Each subnet's table has the
// routes to other destinations.
func (r *router) routes(vpc VPC) []route {
	var all []route
	for _, block := range vpc.CIDRs {
		all = append(all, route{table: unix.RT_TABLE_MAIN, to: block.Masked(), metric: lastResortMetric})
	}
	for _, i := range vpc.Interfaces {
		all = append(all, r.interfaceRoutes(i)...)
	}
	for _, s := range vpc.Subnets {
		table := int(subnetMark(s.ID))
		all = append(all, route{table: table, to: everywhere, metric: lastResortMetric})
		for _, entry := range s.Routes {
			to := entry.Destination.Masked()
			switch {
			case entry.Via == Local || !to.Addr().Is4():
			case entry.Via == Gateway && r.uplinkIndex != 0:
				all = append(all, route{table: table, to: to, device: r.uplinkIndex, via: r.addresses.edge})
			case entry.Via == ToInterface && r.attached[entry.Interface].forwards:
				a := r.attached[entry.Interface]
				all = append(all, route{table: table, to: to, device: a.index, via: a.private()})
			case entry.Via == PeerVPC && r.peers[entry.Peer] != 0:
				all = append(all, route{table: table, to: to, device: r.peers[entry.Peer], via: r.addresses.edge})
			default:
				all = append(all, route{table: table, to: to})
			}
		}
	}
	return all
}

// interfaceRoutes returns the routes to the addresses of an interface, if it is attached. The
// table of a load balancer's node leads all replies back to it.
func (r *router) interfaceRoutes(i Interface) (all []route) {
	a, ok := r.attached[i.ID]
	if !ok {
		return nil
	}
	for _, address := range a.addresses {
		all = append(all, route{table: unix.RT_TABLE_MAIN, to: hostPrefix(address.Private), device: a.index})
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
func (r *router) compareRoutingRules(vpc VPC) (missing map[uint32]*netlink.Rule, stale []*netlink.Rule, err error) {
	present, err := r.netlink.RuleList(netlink.FAMILY_V4)
	if err != nil {
		return nil, nil, fmt.Errorf("list routing rules: %w", err)
	}
	missing = map[uint32]*netlink.Rule{}
	add := func(priority int, mark uint32) *netlink.Rule {
		rule := netlink.NewRule()
		rule.Priority, rule.Mark, rule.Family = priority, mark, netlink.FAMILY_V4
		missing[mark] = rule
		return rule
	}
	add(lastPriority, 0).Type = unix.RTN_BLACKHOLE
	for _, s := range vpc.Subnets {
		add(subnetPriority, subnetMark(s.ID)).Table = int(subnetMark(s.ID))
	}
	for _, i := range vpc.Interfaces {
		if i.Balances {
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
		other.Priority, other.Mark, other.Table, other.Family = rule.Priority, rule.Mark, rule.Table, netlink.FAMILY_V4
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
