//go:build linux

package network

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/firewall"
)

// edge is the namespace that stands in for the internet.
type edge struct {
	*namespace
	host          *namespace // this process's own
	device        string     // in the host
	public        netip.Prefix
	addresses     addresses
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
		namespace: n, host: host, device: cfg.Name + hostSuffix, public: cfg.PublicRange,
		addresses: addressesOf(cfg.PublicRange), mtu: cfg.MTU, flows: flows,
	}, nil
}

func (e *edge) close() error { return errors.Join(e.namespace.close(), e.host.close()) }

// reconcile applies the edge's firewall and connects the host with the edge.
func (e *edge) reconcile(vpcs []VPC) error {
	if err := e.applyFirewall(vpcs); err != nil {
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

func (e *edge) applyFirewall(vpcs []VPC) error {
	ruleset := firewall.Edge{
		Host: edgeHostDevice, Public: e.public, Proxies: e.addresses.proxies,
		Listener: netip.AddrPortFrom(e.addresses.edge, egressPort), VPCs: vpcRanges(vpcs),
		Flows: e.flows,
	}.Ruleset(nftTable)
	if err := e.ruleset.set(e.namespace, ruleset); err != nil {
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
	blackhole := route{table: unix.RT_TABLE_MAIN, to: e.public.Masked(), metric: lastResortMetric}
	if err := e.host.netlink.RouteReplace(blackhole.kernel()); err != nil {
		return fmt.Errorf("block the default route for %s: %w", e.public, err)
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
	if err := setUpPair(end{e.host, near}, end{e.namespace, far}); err != nil {
		return err
	}
	lo, err := e.setUpLoopback()
	if err != nil {
		return err
	}
	if err := e.setAddresses(lo, []netip.Prefix{hostPrefix(e.addresses.edge)}); err != nil {
		return err
	}
	if err := e.host.setAddresses(near, []netip.Prefix{hostPrefix(e.addresses.host)}); err != nil {
		return err
	}
	err = errors.Join(
		keepNeighbor(end{e.host, near}, e.addresses.edge, far),
		keepNeighbor(end{e.namespace, far}, e.addresses.host, near),
	)
	if err != nil {
		return err
	}
	e.pairIndices = [2]int{near.Attrs().Index, far.Attrs().Index}
	e.appliedRoutes = nil
	toEdge := route{
		table: unix.RT_TABLE_MAIN, to: e.public.Masked(), device: near.Attrs().Index,
		via: e.addresses.edge, from: e.addresses.host, metric: 1,
	}
	e.hostRoutes = []route{blackhole, toEdge}
	return e.host.setRoutes(e.hostRoutes, e.isOwnRoute)
}

// isOwnRoute reports whether a route of the host belongs to this edge and not to that
// of another local cloud.
func (e *edge) isOwnRoute(r route) bool { return r.to == e.public.Masked() }

// routePublicAddresses routes each public address to the router that has it, and all
// others to a black hole.
func (e *edge) routePublicAddresses(routers map[string]*router) error {
	all := []route{
		{table: unix.RT_TABLE_MAIN, to: everywhere, metric: lastResortMetric},
		{table: unix.RT_TABLE_MAIN, to: hostPrefix(e.addresses.host), device: e.pairIndices[1]},
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
		to := route{table: unix.RT_TABLE_MAIN, device: link.Attrs().Index, via: e.addresses.router}
		for _, a := range r.attached {
			for _, address := range a.addresses {
				if address.Public.IsValid() {
					to.to = hostPrefix(address.Public)
					all = append(all, to)
				}
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
	return errors.Join(problems, e.host.setRoutes(nil, e.isOwnRoute), e.close(), unpin(e.path))
}
