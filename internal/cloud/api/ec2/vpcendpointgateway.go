package ec2

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// completeGateway makes an endpoint a gateway endpoint: a route to Amazon S3 in route tables.
// Machines reach the APIs of the local cloud at a link-local address, so the route carries nothing.
func (a *API) completeGateway(tx *store.Tx, row endpoint, in *ec2.CreateVpcEndpointInput) error {
	if err := a.limitGatewayEndpoints(tx, row.Region); err != nil {
		return err
	}
	row.PrefixListID = s3PrefixListID(row.Region)
	return addEndpointRoutes(tx, row, in.RouteTableIds)
}

// modifyGateway changes the route tables of a gateway endpoint.
func modifyGateway(tx *store.Tx, row endpoint, in *ec2.ModifyVpcEndpointInput) error {
	removeEndpointRoutes(tx, row, in.RemoveRouteTableIds)
	return addEndpointRoutes(tx, row, in.AddRouteTableIds)
}

// addEndpointRoutes adds routes to an endpoint to route tables of its VPC.
func addEndpointRoutes(tx *store.Tx, row endpoint, tables []string) error {
	for _, id := range tables {
		table, err := routeTables.get(tx, row.Region, id)
		if err != nil {
			return err
		}
		route := store.Route{
			PrefixListID: row.PrefixListID, GatewayID: row.ID, Origin: string(types.RouteOriginCreateRoute),
		}
		switch {
		case table.VPCID != row.VPCID:
			return wire.Errorf("InvalidParameter",
				"The route table %s does not belong to the VPC %s of the endpoint.", id, row.VPCID)
		case routeIndex(table, route) >= 0:
			return wire.Errorf("RouteAlreadyExists",
				"route table %s already has a route with destination-prefix-list-id %s", id, row.PrefixListID)
		}
		store.RouteTables.Edit(tx, id, func(table *store.RouteTable) {
			table.Routes = append(slices.Clone(table.Routes), route)
		})
		row.RouteTableIDs = append(slices.Clone(row.RouteTableIDs), id)
	}
	return nil
}

// removeEndpointRoutes removes the routes to an endpoint from route tables.
func removeEndpointRoutes(tx *store.Tx, row endpoint, tables []string) {
	for _, id := range tables {
		store.RouteTables.Edit(tx, id, func(table *store.RouteTable) {
			table.Routes = slices.DeleteFunc(slices.Clone(table.Routes), func(route store.Route) bool {
				return route.GatewayID == row.ID
			})
		})
	}
	row.RouteTableIDs = slices.DeleteFunc(slices.Clone(row.RouteTableIDs), func(id string) bool {
		return slices.Contains(tables, id)
	})
}

// isEndpointRoute reports whether a route leads to a gateway endpoint, which alone changes it.
func isEndpointRoute(route store.Route) bool { return endpoints.ownsID(route.GatewayID) }

func endpointRouteError(route store.Route) error {
	return wire.Errorf("InvalidParameterValue",
		"The route to %s belongs to the endpoint %s. Use ModifyVpcEndpoint to change it.",
		route.PrefixListID, route.GatewayID)
}
