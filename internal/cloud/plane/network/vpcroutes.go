package network

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// routes are the router's: to each machine by its device, nowhere for the rest
// of the VPC, and what each subnet's table says for the world.
func (r *router) routes(vpc VPC, up int) []route {
	all := []route{{table: unix.RT_TABLE_MAIN, to: vpc.CIDR.Masked(), metric: lastResortMetric}}
	for _, i := range vpc.Interfaces {
		if a, ok := r.attached[i.ID]; ok {
			all = append(all, route{table: unix.RT_TABLE_MAIN, to: single(a.private), device: a.index})
		}
	}
	everywhere := netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	for _, s := range vpc.Subnets {
		number := int(subnetMark(s.ID))
		all = append(all, route{table: number, to: everywhere, metric: lastResortMetric})
		for _, line := range s.Routes {
			switch {
			case line.Via == Local || !line.Destination.Addr().Is4():
			case line.Via == Gateway && up != 0:
				all = append(
					all,
					route{table: number, to: line.Destination.Masked(), device: up, via: r.addresses.edge},
				)
			default:
				all = append(all, route{table: number, to: line.Destination.Masked()})
			}
		}
	}
	return all
}

// The order in which tables are asked: the main one (at 32766) knows the VPC, the
// subnets' know the world, and what nobody knows vanishes.
const (
	subnetPriority = 40000
	lastPriority   = 50000
)

// setRoutingRules makes packets that bear a subnet's mark follow the subnet's table.
func (r *router) setRoutingRules(vpc VPC) error {
	present, err := r.netlink.RuleList(netlink.FAMILY_V4)
	if err != nil {
		return fmt.Errorf("list routing rules: %w", err)
	}
	wanted := map[uint32]*netlink.Rule{}
	add := func(priority int, mark uint32) *netlink.Rule {
		rule := netlink.NewRule()
		rule.Priority, rule.Mark, rule.Family = priority, mark, netlink.FAMILY_V4
		wanted[mark] = rule
		return rule
	}
	add(lastPriority, 0).Type = unix.RTN_BLACKHOLE
	for _, s := range vpc.Subnets {
		add(subnetPriority, subnetMark(s.ID)).Table = int(subnetMark(s.ID))
	}
	for _, rule := range present {
		if rule.Priority != subnetPriority && rule.Priority != lastPriority {
			continue
		}
		if _, ok := wanted[rule.Mark]; ok {
			delete(wanted, rule.Mark)
			continue
		}
		stale := netlink.NewRule()
		stale.Priority, stale.Mark, stale.Table, stale.Family = rule.Priority, rule.Mark, rule.Table, netlink.FAMILY_V4
		if err := r.netlink.RuleDel(stale); err != nil && !errors.Is(err, unix.ENOENT) {
			return fmt.Errorf("remove routing rule: %w", err)
		}
	}
	for _, rule := range wanted {
		if err := r.netlink.RuleAdd(rule); err != nil {
			return fmt.Errorf("add routing rule: %w", err)
		}
	}
	return nil
}
