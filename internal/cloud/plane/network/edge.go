//go:build linux

package network

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/nat64"
	"aloft.dev/aloft/internal/cloud/plane/firewall"
)

// edge is the namespace that stands in for the internet.
type edge struct {
	*namespace
	host          *namespace     // this process's own
	device        string         // in the host
	public        []netip.Prefix // ranges, that of IPv4 first
	addresses     bothAddresses
	outside6      bool // the host has IPv6 to the internet
	mtu           int
	flows         uint32 // limit of the firewall
	ruleset       appliedRuleset
	appliedRoutes []route
	hostRoutes    []route // the host's to the edge
	pairIndices   [2]int  // of the veth pair with the host that appliedRoutes are for
}

func openEdge(path string, cfg PlaneConfig, flows uint32) (*edge, error) {
	host, err := openNamespace("/proc/self/ns/net")
	if err != nil {
		return nil, err
	}
	n, err := createNamespace(path, forwardingSysctls)
	if err != nil {
		return nil, errors.Join(err, host.close())
	}
	return &edge{
		namespace: n, host: host, device: cfg.Name + hostSuffix, public: cfg.ranges(),
		addresses: allAddresses(cfg.ranges()), mtu: cfg.MTU, flows: flows,
	}, nil
}

func (e *edge) close() error { return errors.Join(e.namespace.close(), e.host.close()) }

// reconcile applies the edge's firewall and connects the host with the edge.
func (e *edge) reconcile(vpcs []VPC) error {
	if err := e.reconcileFamilies(vpcs); err != nil {
		return err
	}
	near, nearErr := e.host.netlink.LinkByName(e.device)
	far, farErr := e.netlink.LinkByName(edgeHostDevice)
	connected := nearErr == nil && farErr == nil && paired(near, far)
	if connected && e.pairIndices == [2]int{near.Attrs().Index, far.Attrs().Index} {
		return nil
	}
	return e.connectHost(near, far, connected)
}

// reconcileFamilies applies the edge's firewall, and gives the edge and its connection with the
// host IPv6 if a VPC has it.
func (e *edge) reconcileFamilies(vpcs []VPC) error {
	ipv6 := slices.ContainsFunc(vpcs, func(vpc VPC) bool { return len(vpc.IPv6) > 0 })
	if !ipv6 {
		if err := errors.Join(e.forgetHostRoutes6(), e.removeIPv6()); err != nil {
			return err
		}
	}
	outside, err := e.hasOutside6(ipv6)
	if err != nil {
		return err
	}
	e.outside6 = outside
	if err := e.applyFirewall(vpcs, ipv6); err != nil {
		return err
	}
	if e.ipv6 != ipv6 || e.host.ipv6 != ipv6 {
		e.pairIndices = [2]int{} // connect the host again
	}
	if err := e.setIPv6(ipv6); err != nil {
		return err
	}
	e.host.ipv6 = ipv6
	return nil
}

// forgetHostRoutes6 removes the host's IPv6 routes to the edge.
func (e *edge) forgetHostRoutes6() error {
	if !e.host.ipv6 {
		return nil
	}
	return e.host.setRoutes(nil, func(r route) bool { return r.to.Addr().Is6() && e.isOwnRoute(r) })
}

// hasOutside6 reports whether the host reaches the internet over IPv6: it has a default route and an
// address of the internet. With any other address, hosts prefer IPv4 (RFC 6724, section 2.1).
func (e *edge) hasOutside6(ipv6 bool) (bool, error) {
	if !ipv6 {
		return false, nil
	}
	mainTable := &netlink.Route{Table: unix.RT_TABLE_MAIN}
	routes, err := e.host.netlink.RouteListFiltered(netlink.FAMILY_V6, mainTable, netlink.RT_FILTER_TABLE)
	if err != nil {
		return false, fmt.Errorf("list the host's routes: %w", err)
	}
	addresses, err := e.host.netlink.AddrList(nil, netlink.FAMILY_V6)
	if err != nil {
		return false, fmt.Errorf("list the host's addresses: %w", err)
	}
	return slices.ContainsFunc(routes, isDefaultRoute) &&
		slices.ContainsFunc(addresses, func(a netlink.Addr) bool {
			addr := prefixOf(a.IPNet).Addr()
			return globalRange.Contains(addr) && !e.public[firewall.IPv6].Contains(addr)
		}), nil
}

// globalRange is the range of all IPv6 addresses of the internet (IANA, IPv6 Address Space).
var globalRange = netip.MustParsePrefix("2000::/3")

func (e *edge) applyFirewall(vpcs []VPC, ipv6 bool) error {
	own := e.addresses[firewall.IPv4]
	v4 := firewall.Edge{
		Host: edgeHostDevice, Public: e.public[firewall.IPv4], Proxies: own.proxies,
		Listener: netip.AddrPortFrom(own.edge, egressPort), VPCs: vpcRanges(vpcs),
		Flows: e.flows,
	}
	rulesets := []firewall.Ruleset{v4.Ruleset(nftTable)}
	if ipv6 {
		v6 := firewall.Edge{
			Family: firewall.IPv6, Host: edgeHostDevice, Public: e.public[firewall.IPv6], Flows: e.flows,
			Listener: netip.AddrPortFrom(e.addresses[firewall.IPv6].edge, egressPort), Translated: nat64.Prefix,
			Refuse: !e.outside6,
		}
		rulesets = append(rulesets, v6.Ruleset(nftTable))
	}
	if err := e.ruleset.set(e.namespace, rulesets...); err != nil {
		return fmt.Errorf("apply the edge's firewall: %w", err)
	}
	return nil
}

// vpcRanges returns the CIDRs of the VPCs, sorted and without duplicates.
func vpcRanges(vpcs []VPC) []netip.Prefix {
	all := make([]netip.Prefix, 0, len(vpcs))
	for _, vpc := range vpcs {
		for _, block := range vpc.CIDRs {
			all = append(all, block.Masked())
		}
	}
	slices.SortFunc(all, func(a, b netip.Prefix) int {
		if c := a.Addr().Compare(b.Addr()); c != 0 {
			return c
		}
		return a.Bits() - b.Bits()
	})
	return slices.Compact(all)
}

// connectHost sets up the veth pair, addresses and routes between the host and the
// edge. A black hole keeps packets to the public range from ever following the host's
// default route.
func (e *edge) connectHost(near, far netlink.Link, connected bool) error {
	var hostRoutes []route
	ranges := e.public[:len(e.families())]
	for _, public := range ranges {
		blackhole := route{table: unix.RT_TABLE_MAIN, to: public, metric: lastResortMetric}
		if err := e.host.netlink.RouteReplace(blackhole.kernel()); err != nil {
			return fmt.Errorf("block the default route for %s: %w", public, err)
		}
		hostRoutes = append(hostRoutes, blackhole)
	}
	if !connected {
		if near != nil {
			if err := e.host.removeDevice(near); err != nil {
				return err
			}
		}
		var err error
		near, far, err = createPair(e.host, e.device, e.namespace, edgeHostDevice, nil, e.mtu)
		if err != nil {
			return fmt.Errorf("connect the host with the edge: %w", err)
		}
	}
	if e.host.ipv6 {
		if err := writeSysctls(hostSysctls(e.device)); err != nil {
			return err
		}
	}
	if err := setUpPair(end{e.host, near}, end{e.namespace, far}); err != nil {
		return err
	}
	lo, err := e.setUpLoopback()
	if err != nil {
		return err
	}
	var edges, hosts []netip.Prefix
	for _, public := range ranges {
		own := e.addresses.of(public.Addr())
		edges, hosts = append(edges, hostPrefix(own.edge)), append(hosts, hostPrefix(own.host))
		hostRoutes = append(hostRoutes, route{
			table: unix.RT_TABLE_MAIN, to: public, device: near.Attrs().Index,
			via: own.edge, from: own.host, metric: 1,
		})
	}
	if err := errors.Join(e.setAddresses(lo, edges), e.host.setAddresses(near, hosts)); err != nil {
		return err
	}
	for _, public := range ranges {
		own := e.addresses.of(public.Addr())
		err = errors.Join(
			keepNeighbor(end{e.host, near}, own.edge, far), keepNeighbor(end{e.namespace, far}, own.host, near),
		)
		if err != nil {
			return err
		}
	}
	e.pairIndices = [2]int{near.Attrs().Index, far.Attrs().Index}
	e.appliedRoutes = nil
	e.hostRoutes = hostRoutes
	return e.host.setRoutes(e.hostRoutes, e.isOwnRoute)
}

// hostSysctls give the host's device towards the edge IPv6, whether or not others have it, and
// keep what the edge advertises from changing the host's routes.
func hostSysctls(device string) []sysctl {
	of := "ipv6/conf/" + device + "/"
	return []sysctl{{of + "accept_ra", "0"}, {of + "accept_redirects", "0"}, {of + "disable_ipv6", "0"}}
}

// isOwnRoute reports whether a route of the host belongs to this edge and not to that
// of another local cloud.
func (e *edge) isOwnRoute(r route) bool { return slices.Contains(e.public, r.to) }

// routePublicAddresses routes each public address to the router that has it, and all
// others to a black hole.
func (e *edge) routePublicAddresses(routers map[string]*router) error {
	var all []route
	for _, to := range e.defaults() {
		host := e.addresses.of(to.Addr()).host
		refuse := to == everywhere6 && !e.outside6 // machines that have IPv6, when the host has none, learn it
		all = append(all,
			route{table: unix.RT_TABLE_MAIN, to: to, metric: lastResortMetric, refuse: refuse},
			route{table: unix.RT_TABLE_MAIN, to: hostPrefix(host), device: e.pairIndices[1]},
		)
	}
	if e.ipv6 {
		all = append(all, route{table: unix.RT_TABLE_MAIN, to: e.public[firewall.IPv6], metric: lastResortMetric})
	}
	devices, err := e.devices()
	if err != nil {
		return err
	}
	for id, r := range routers {
		link, ok := devices[deviceName("vpc", id)]
		if !ok {
			continue
		}
		for _, a := range r.attached {
			for _, address := range a.outside() {
				all = append(all, route{
					table: unix.RT_TABLE_MAIN, to: hostPrefix(address), device: link.Attrs().Index,
					via: e.addresses.of(address).router,
				})
			}
		}
	}
	slices.SortFunc(all, func(a, b route) int { return a.to.Addr().Compare(b.to.Addr()) })
	if slices.Equal(all, e.appliedRoutes) {
		return nil
	}
	e.appliedRoutes = nil
	if err := e.setRoutes(all, nil); err != nil {
		return fmt.Errorf("route public addresses: %w", err)
	}
	e.appliedRoutes = all
	return nil
}

// remove deletes the edge, and the host's routes to it last.
func (e *edge) remove() error {
	var problems error
	if near, err := e.host.netlink.LinkByName(e.device); err == nil {
		problems = e.host.removeDevice(near)
	}
	e.host.ipv6 = len(e.public) > 1 // whether or not this process has connected it
	return errors.Join(problems, e.host.setRoutes(nil, e.isOwnRoute), e.close(), unpin(e.path))
}
