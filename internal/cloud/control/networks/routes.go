//go:build linux

package networks

import (
	"net/netip"
	"slices"

	"aloft.dev/aloft/internal/cloud/nat64"
	"aloft.dev/aloft/internal/cloud/plane/network"
	"aloft.dev/aloft/internal/cloud/store"
)

// subnetRoutes are the routes of a VPC's subnets and of its internet gateway.
type subnetRoutes struct {
	main     []network.Route            // of the main route table
	explicit map[string][]network.Route // by id of the subnet associated with a table
	ingress  []network.Route            // of the internet gateway
}

func (r subnetRoutes) of(subnet string) []network.Route {
	if explicit, ok := r.explicit[subnet]; ok {
		return explicit
	}
	return r.main
}

// targets holds the possible targets of a VPC's routes.
type targets struct {
	internetGateways map[string]bool   // by id: those attached to the VPC
	egressOnly       map[string]bool   // by id: the VPC's egress-only internet gateways
	natGateways      map[string]string // network interfaces by id: those that forward
	peerings         map[string]bool   // by id: the active ones
	interfaces       map[string]bool   // by id: the VPC's
	blocks           []netip.Prefix    // of the VPC, of both families
	view             store.Reader
}

// routesOf returns the routes of a VPC's route tables.
func routesOf(tables []*store.RouteTable, known targets) subnetRoutes {
	r := subnetRoutes{explicit: map[string][]network.Route{}}
	for _, table := range tables {
		routes := make([]network.Route, 0, len(table.Routes))
		for _, route := range table.Routes {
			for _, block := range known.destinations(route) {
				resolved := known.resolve(route)
				resolved.Destination = block
				routes = append(routes, resolved)
			}
		}
		for _, association := range table.Associations {
			switch {
			case association.Main:
				r.main = routes
			case known.internetGateways[association.GatewayID]:
				r.ingress = routes
			case association.SubnetID != "":
				r.explicit[association.SubnetID] = routes
			}
		}
	}
	return r
}

// destinations returns the blocks that a route leads to. That of a gateway endpoint leads to
// the APIs, which machines reach at a link-local address without it. What a prefix list has of the VPC
// stays local: a route to a part of it names a subnet's block.
func (t targets) destinations(route store.Route) []netip.Prefix {
	if route.PrefixListID == "" {
		return []netip.Prefix{route.Destination}
	}
	list, ok := store.PrefixLists.Get(t.view, route.PrefixListID)
	if _, isEndpoint := store.VPCEndpoints.Get(t.view, route.GatewayID); isEndpoint || !ok {
		return nil
	}
	return slices.DeleteFunc(blocks(list), func(block netip.Prefix) bool {
		return slices.ContainsFunc(t.blocks, func(own netip.Prefix) bool {
			return own.Bits() <= block.Bits() && own.Contains(block.Addr())
		})
	})
}

// resolve returns a route of the plane without its destination. A route to what is not
// attached to the VPC or does not forward discards packets, as a route in AWS's state
// "blackhole" does.
func (t targets) resolve(route store.Route) network.Route {
	resolved := network.Route{Via: network.Blackhole}
	eni, forwards := t.natGateways[route.NatGatewayID]
	switch {
	case route.GatewayID == "local":
		resolved.Via = network.Local
	case t.internetGateways[route.GatewayID]:
		resolved.Via = network.Gateway
	case t.egressOnly[route.EgressOnlyID]:
		resolved.Via = network.EgressOnlyGateway
	case forwards && route.Destination == nat64.Prefix:
		resolved.Via = t.translation(route.NatGatewayID)
	case forwards:
		resolved.Via, resolved.Interface = network.ToInterface, eni
	case t.interfaces[route.InterfaceID]:
		resolved.Via, resolved.Interface = network.ToInterface, route.InterfaceID
	case t.peerings[route.PeeringID]:
		resolved.Via, resolved.Peer = network.PeerVPC, route.PeeringID
	}
	return resolved
}

// translation returns where a NAT gateway sends packets to IPv4 addresses from IPv6 addresses.
func (t targets) translation(natGatewayID string) network.Target {
	gateway, ok := store.NatGateways.Get(t.view, natGatewayID)
	if ok && gateway.Connectivity == "public" {
		return network.NAT64
	}
	return network.Blackhole
}
