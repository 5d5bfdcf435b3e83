//go:build linux

package flowlogs

import (
	"net/netip"

	"aloft.dev/aloft/internal/cloud/flowlog"
	"aloft.dev/aloft/internal/cloud/plane/firewall"
	"aloft.dev/aloft/internal/cloud/store"
)

// paths finds how traffic leaves a subnet.
type paths struct {
	local  []netip.Prefix
	routes []store.Route
}

// newPaths returns the paths from the subnet of a network interface.
func newPaths(view store.Reader, eni *store.NetworkInterface) (p paths) {
	vpc, ok := store.VPCs.Get(view, eni.VPCID)
	if !ok {
		return p
	}
	p.local = append(vpc.Blocks(), vpc.IPv6Blocks()...)
	for _, table := range store.RouteTablesByVPC.List(view, eni.VPCID) {
		for _, association := range table.Associations {
			switch {
			case association.SubnetID == eni.SubnetID:
				p.routes = table.Routes
				return p
			case association.Main:
				p.routes = table.Routes
			}
		}
	}
	return p
}

// of returns the path of a flow that leaves its interface: that of the longest route to its
// destination.
func (p paths) of(f firewall.Record) flowlog.Path {
	if !f.Out {
		return flowlog.NoPath
	}
	to := f.Destination.Addr()
	for _, block := range p.local {
		if block.Contains(to) {
			return flowlog.WithinVPC
		}
	}
	longest, path := -1, flowlog.NoPath
	for _, route := range p.routes {
		if route.Destination.IsValid() && route.Destination.Contains(to) && route.Destination.Bits() > longest {
			longest, path = route.Destination.Bits(), pathOf(route)
		}
	}
	return path
}

func pathOf(route store.Route) flowlog.Path {
	switch {
	case route.NatGatewayID != "", route.InterfaceID != "":
		return flowlog.WithinVPC
	case route.PeeringID != "":
		return flowlog.Peering
	case route.GatewayID != "" || route.EgressOnlyID != "":
		return flowlog.InternetGateway
	}
	return flowlog.NoPath
}
