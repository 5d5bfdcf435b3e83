//go:build linux

package network

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// routeProtocol marks the routes that this package creates (rtnetlink(7), rtm_protocol).
const routeProtocol = netlink.RouteProtocol(161)

// lastResortMetric is the metric of routes that apply only when no other does.
const lastResortMetric = 1 << 30

// route is the part of a kernel route that this package uses.
type route struct {
	table  int
	to     netip.Prefix
	device int        // zero: a black hole
	refuse bool       // not a black hole: senders learn that there is no route
	pass   bool       // not a black hole: the next routing rule decides
	via    netip.Addr // zero: the destination is on the device's link
	from   netip.Addr // source address of the namespace's own packets; zero: the kernel chooses
	metric int
}

// place returns what no two routes of a namespace have in common.
func (r route) place() route { return route{table: r.table, to: r.to, metric: r.metric} }

func (r route) kernel() *netlink.Route {
	k := &netlink.Route{
		Table: r.table, Dst: ipNet(r.to), Protocol: routeProtocol, Priority: r.metric, Family: familyOf(r.to.Addr()),
	}
	switch {
	case r.refuse:
		k.Type = unix.RTN_UNREACHABLE
	case r.pass:
		k.Type = unix.RTN_THROW
	case r.device == 0:
		k.Type = unix.RTN_BLACKHOLE
	case r.via.IsValid():
		k.Type, k.LinkIndex, k.Gw, k.Flags = unix.RTN_UNICAST, r.device, r.via.AsSlice(), int(netlink.FLAG_ONLINK)
	default:
		k.Type, k.LinkIndex, k.Scope = unix.RTN_UNICAST, r.device, netlink.SCOPE_LINK
	}
	if r.from.IsValid() {
		k.Src = r.from.AsSlice()
	}
	return k
}

func routeOf(k netlink.Route) route {
	r := route{
		table: k.Table, to: prefixOf(k.Dst), metric: k.Priority,
		refuse: k.Type == unix.RTN_UNREACHABLE, pass: k.Type == unix.RTN_THROW,
	}
	if k.Type != unix.RTN_BLACKHOLE && !r.refuse && !r.pass {
		r.device = k.LinkIndex
	}
	r.via, r.from = addressOf(k.Gw), addressOf(k.Src)
	if k.Family != netlink.FAMILY_V6 {
		return r
	}
	if k.Dst == nil {
		r.to = everywhere6
	}
	if r.metric == defaultMetric6 {
		r.metric = 0
	}
	return r
}

// defaultMetric6 is the metric of IPv6 routes that are added without one (IP6_RT_PRIO_USER,
// linux/ipv6_route.h).
const defaultMetric6 = 1024

// addressOf converts an address, which is nil if there is none.
func addressOf(ip net.IP) netip.Addr {
	a, _ := netip.AddrFromSlice(ip)
	return a.Unmap()
}

// listRoutes returns the namespace's routes of this package, of the families that it has.
func (n *namespace) listRoutes() ([]netlink.Route, error) {
	var all []netlink.Route
	for _, family := range n.families() {
		some, err := n.netlink.RouteListFiltered(family,
			&netlink.Route{Table: unix.RT_TABLE_UNSPEC, Protocol: routeProtocol},
			netlink.RT_FILTER_TABLE|netlink.RT_FILTER_PROTOCOL)
		if err != nil {
			return nil, fmt.Errorf("list routes of %s: %w", n.path, err)
		}
		all = append(all, some...)
	}
	return all, nil
}

// compareRoutes compares desired with the namespace's routes of this package that owned
// reports as the caller's; nil owns all.
func (n *namespace) compareRoutes(
	desired []route, owned func(route) bool,
) (missing []route, stale map[route]bool, err error) {
	present, err := n.listRoutes()
	if err != nil {
		return nil, nil, err
	}
	stale = make(map[route]bool, len(present))
	for _, k := range present {
		if r := routeOf(k); owned == nil || owned(r) {
			stale[r] = true
		}
	}
	for _, d := range desired {
		if stale[d] {
			delete(stale, d)
		} else {
			missing = append(missing, d)
		}
	}
	return missing, stale, nil
}

// setRoutes makes desired the namespace's routes of this package. It leaves alone
// routes that owned does not report as the caller's; nil owns all.
func (n *namespace) setRoutes(desired []route, owned func(route) bool) error {
	missing, stale, err := n.compareRoutes(desired, owned)
	if err != nil {
		return err
	}
	replaced := map[route]bool{}
	for _, r := range missing {
		if err := n.netlink.RouteReplace(r.kernel()); err != nil {
			return fmt.Errorf("add route to %s: %w", r.to, err)
		}
		replaced[r.place()] = true
	}
	for r := range stale {
		if replaced[r.place()] {
			continue // the kernel would take the other route for this one, if that is a black hole
		}
		// ESRCH: its device is gone.
		if err := n.netlink.RouteDel(r.kernel()); err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("remove route to %s: %w", r.to, err)
		}
	}
	return nil
}
