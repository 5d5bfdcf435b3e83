//go:build linux

package network

import (
	"errors"
	"fmt"
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
	via    netip.Addr // zero: the destination is on the device's link
	from   netip.Addr // source address of the namespace's own packets; zero: the kernel chooses
	metric int
}

func (r route) kernel() *netlink.Route {
	k := &netlink.Route{
		Table: r.table, Dst: ipNet(r.to), Protocol: routeProtocol, Priority: r.metric, Family: netlink.FAMILY_V4,
	}
	switch {
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
	r := route{table: k.Table, to: prefixOf(k.Dst), metric: k.Priority}
	if k.Type != unix.RTN_BLACKHOLE {
		r.device = k.LinkIndex
	}
	r.via, _ = netip.AddrFromSlice(k.Gw.To4())
	r.from, _ = netip.AddrFromSlice(k.Src.To4())
	return r
}

// compareRoutes compares desired with the namespace's routes of this package that owned
// reports as the caller's; nil owns all.
func (n *namespace) compareRoutes(
	desired []route, owned func(route) bool,
) (missing []route, stale map[route]bool, err error) {
	present, err := n.netlink.RouteListFiltered(netlink.FAMILY_V4,
		&netlink.Route{Table: unix.RT_TABLE_UNSPEC, Protocol: routeProtocol},
		netlink.RT_FILTER_TABLE|netlink.RT_FILTER_PROTOCOL)
	if err != nil {
		return nil, nil, fmt.Errorf("list routes of %s: %w", n.path, err)
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
	for _, r := range missing {
		if err := n.netlink.RouteReplace(r.kernel()); err != nil {
			return fmt.Errorf("add route to %s: %w", r.to, err)
		}
	}
	for r := range stale {
		// ESRCH: another route to the destination replaced it, or its device is gone.
		if err := n.netlink.RouteDel(r.kernel()); err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("remove route to %s: %w", r.to, err)
		}
	}
	return nil
}
