package network

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/firewall"
)

// addresses are those of the public range that belong to the network itself.
type addresses struct {
	edge    netip.Addr // the first: the edge, for the host and for routers
	router  netip.Addr // the second: each router, for the edge
	host    netip.Addr // the third: the host, as machines see it
	proxies netip.Addr // the last but one: the host's proxies, as machines see them
}

func addressesOf(public netip.Prefix) addresses {
	first := public.Masked().Addr()
	size := uint32(1) << (32 - public.Bits())
	b := first.As4()
	binary.BigEndian.PutUint32(b[:], binary.BigEndian.Uint32(b[:])+size-2)
	return addresses{
		edge:    first.Next(),
		router:  first.Next().Next(),
		host:    first.Next().Next().Next(),
		proxies: netip.AddrFrom4(b),
	}
}

// egressPort is where the edge takes up connections to the outside.
const egressPort = 15001

// edge is the namespace that is the internet.
type edge struct {
	*namespace
	host           *namespace // this process's own namespace
	device         string     // in the host
	public         netip.Prefix
	addresses      addresses
	mtu            int
	appliedRuleset string
	appliedRoutes  []route
	pairIndices    [2]int // of the pair of devices that the applied routes are about
}

func openEdge(path string, cfg PlaneConfig) (*edge, error) {
	host, err := openNamespace("/proc/self/ns/net")
	if err != nil {
		return nil, err
	}
	at, err := createNamespace(path, forwardingSysctls)
	if err != nil {
		return nil, errors.Join(err, host.close())
	}
	return &edge{
		namespace: at, host: host, device: cfg.Name + hostSuffix, public: cfg.PublicRange,
		addresses: addressesOf(cfg.PublicRange), mtu: cfg.MTU,
	}, nil
}

func (e *edge) close() error { return errors.Join(e.namespace.close(), e.host.close()) }

// reconcile makes sure that nothing for the public range ever follows the host's
// default route, joins the host to the edge and filters between them.
func (e *edge) reconcile(vpcs []VPC) error {
	ruleset := firewall.Edge{
		Host: edgeHostDevice, Public: e.public, Proxies: e.addresses.proxies,
		Listener: netip.AddrPortFrom(e.addresses.edge, egressPort), VPCs: vpcRanges(vpcs),
	}.Ruleset(tableName)
	if text := ruleset.String(); text != e.appliedRuleset {
		if err := firewall.Apply(e.fd(), ruleset); err != nil {
			e.appliedRuleset = ""
			return fmt.Errorf("filter at the edge: %w", err)
		}
		e.appliedRuleset = text
	}
	near, nearErr := e.host.netlink.LinkByName(e.device)
	far, farErr := e.netlink.LinkByName(edgeHostDevice)
	if nearErr == nil && farErr == nil && paired(near, far) &&
		e.pairIndices == [2]int{near.Attrs().Index, far.Attrs().Index} {
		return nil
	}
	return e.connectHost(near, far, nearErr == nil && farErr == nil && paired(near, far))
}

func (e *edge) connectHost(near, far netlink.Link, there bool) error {
	nowhere := route{table: unix.RT_TABLE_MAIN, to: e.public.Masked(), metric: lastResortMetric}
	if err := e.host.netlink.RouteReplace(nowhere.kernel()); err != nil {
		return fmt.Errorf("secure %s: %w", e.public, err)
	}
	if !there {
		if near != nil {
			if err := e.host.removeDevice(near); err != nil {
				return err
			}
		}
		var err error
		if near, far, err = createPair(e.host, e.device, e.namespace, edgeHostDevice, nil, e.mtu); err != nil {
			return fmt.Errorf("join the host to the edge: %w", err)
		}
	}
	if err := setUpPair(end{e.host, near}, end{e.namespace, far}); err != nil {
		return err
	}
	lo, err := e.setUpLoopback()
	if err != nil {
		return err
	}
	if err := e.setAddresses(lo, []netip.Prefix{single(e.addresses.edge)}); err != nil {
		return err
	}
	if err := e.host.setAddresses(near, []netip.Prefix{single(e.addresses.host)}); err != nil {
		return err
	}
	e.pairIndices = [2]int{near.Attrs().Index, far.Attrs().Index}
	e.appliedRoutes = nil
	return e.host.setRoutes([]route{nowhere, {
		table: unix.RT_TABLE_MAIN, to: e.public.Masked(), device: near.Attrs().Index, via: e.addresses.edge, from: e.addresses.host, metric: 1,
	}}, e.isOwnRoute)
}

// isOwnRoute tells the host's routes that are this edge's from those of another's.
func (e *edge) isOwnRoute(r route) bool { return r.to == e.public.Masked() }

// vpcRanges lists the CIDRs of the VPCs, each once.
func vpcRanges(vpcs []VPC) []netip.Prefix {
	all := make([]netip.Prefix, 0, len(vpcs))
	for _, vpc := range vpcs {
		all = append(all, vpc.CIDR.Masked())
	}
	slices.SortFunc(all, func(a, b netip.Prefix) int {
		if c := a.Addr().Compare(b.Addr()); c != 0 {
			return c
		}
		return a.Bits() - b.Bits()
	})
	return slices.Compact(all)
}

// routePublicAddresses routes each public address to the router that has it, and everything
// else to nowhere.
func (e *edge) routePublicAddresses(routers map[string]*router) error {
	all := []route{
		{table: unix.RT_TABLE_MAIN, to: netip.PrefixFrom(netip.IPv4Unspecified(), 0), metric: lastResortMetric},
		{table: unix.RT_TABLE_MAIN, to: single(e.addresses.host), device: e.pairIndices[1]},
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
			if a.public.IsValid() {
				all = append(
					all,
					route{
						table:  unix.RT_TABLE_MAIN,
						to:     single(a.public),
						device: link.Attrs().Index,
						via:    e.addresses.router,
					},
				)
			}
		}
	}
	slices.SortFunc(all, func(a, b route) int { return a.to.Addr().Compare(b.to.Addr()) })
	if slices.Equal(all, e.appliedRoutes) {
		return nil
	}
	e.appliedRoutes = nil
	if err := e.setRoutes(all, nil); err != nil {
		return fmt.Errorf("direct public addresses: %w", err)
	}
	e.appliedRoutes = all
	return nil
}

// remove takes the edge away, and the host's way to it last.
func (e *edge) remove() error {
	var problems error
	if near, err := e.host.netlink.LinkByName(e.device); err == nil {
		problems = e.host.removeDevice(near)
	}
	problems = errors.Join(problems, e.host.setRoutes(nil, e.isOwnRoute), e.close(), unpin(e.path))
	return problems
}
