package network

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// routeProtocol marks the routes that this package made (rtnetlink(7), rtm_protocol).
const routeProtocol = netlink.RouteProtocol(161)

// lastResortMetric is the metric of routes that hold when no other does.
const lastResortMetric = 1 << 30

// route is a route as far as this package uses routes.
type route struct {
	table  int
	to     netip.Prefix
	device int        // zero: a black hole
	via    netip.Addr // zero: the destination is at the device
	from   netip.Addr // address that the place's own packets bear; zero: the kernel's choice
	metric int
}

func (r route) kernel() *netlink.Route {
	k := &netlink.Route{Table: r.table, Dst: ipNet(r.to), Protocol: routeProtocol, Priority: r.metric, Family: netlink.FAMILY_V4}
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

// setRoutes makes these the routes of the place that are ours, among those that
// the function tells to be about (nil: all).
func (p *namespace) setRoutes(wanted []route, about func(route) bool) error {
	present, err := p.netlink.RouteListFiltered(netlink.FAMILY_V4,
		&netlink.Route{Table: unix.RT_TABLE_UNSPEC, Protocol: routeProtocol}, netlink.RT_FILTER_TABLE|netlink.RT_FILTER_PROTOCOL)
	if err != nil {
		return fmt.Errorf("list routes of %s: %w", p.path, err)
	}
	stale := make(map[route]bool, len(present))
	for _, k := range present {
		if r := routeOf(k); about == nil || about(r) {
			stale[r] = true
		}
	}
	var missing []route
	for _, w := range wanted {
		if stale[w] {
			delete(stale, w)
		} else {
			missing = append(missing, w)
		}
	}
	for _, r := range missing {
		if err := p.netlink.RouteReplace(r.kernel()); err != nil {
			return fmt.Errorf("add route to %s: %w", r.to, err)
		}
	}
	for r := range stale {
		// Gone already: replaced by another to the same destination, or with its device.
		if err := p.netlink.RouteDel(r.kernel()); err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("remove route to %s: %w", r.to, err)
		}
	}
	return nil
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

// prefixOf keeps the address within its prefix; nil is the default route's.
func prefixOf(n *net.IPNet) netip.Prefix {
	if n == nil {
		return netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	}
	addr, _ := netip.AddrFromSlice(n.IP)
	bits, _ := n.Mask.Size()
	return netip.PrefixFrom(addr.Unmap(), bits)
}

func single(a netip.Addr) netip.Prefix { return netip.PrefixFrom(a, a.BitLen()) }
