//go:build linux

package networks

import (
	"aloft.dev/aloft/internal/cloud/plane/network"
	"aloft.dev/aloft/internal/cloud/store"
)

// subnetRoutes are the routes of a VPC's subnets.
type subnetRoutes struct {
	main     []network.Route            // of the main route table
	explicit map[string][]network.Route // by id of the subnet associated with a table
}

func (r subnetRoutes) of(subnet string) []network.Route {
	if explicit, ok := r.explicit[subnet]; ok {
		return explicit
	}
	return r.main
}

// routesOf returns the routes of a VPC's route tables. gateways contains the ids of the
// internet gateways attached to the VPC.
func routesOf(tables []*store.RouteTable, gateways map[string]bool) subnetRoutes {
	r := subnetRoutes{explicit: map[string][]network.Route{}}
	for _, table := range tables {
		routes := make([]network.Route, 0, len(table.Routes))
		for _, route := range table.Routes {
			routes = append(routes, network.Route{Destination: route.Destination, Via: targetOf(route, gateways)})
		}
		for _, association := range table.Associations {
			if association.Main {
				r.main = routes
			} else {
				r.explicit[association.SubnetID] = routes
			}
		}
	}
	return r
}

// targetOf returns a route's target. A route to a gateway that is not attached to the
// VPC discards packets, as a route in AWS's state "blackhole" does.
func targetOf(route store.Route, gateways map[string]bool) network.Target {
	switch {
	case route.GatewayID == "local":
		return network.Local
	case gateways[route.GatewayID]:
		return network.Gateway
	}
	return network.Blackhole
}
