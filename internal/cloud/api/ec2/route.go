package ec2

import (
	"cmp"
	"context"
	"net/netip"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// localGateway is the target of the route to a VPC's own CIDR block.
const localGateway = "local"

// routeState returns blackhole for a route to a gateway that is not attached to the
// table's VPC or to a NAT gateway that is gone, and active for others.
func routeState(r store.Reader, table *store.RouteTable, route store.Route) types.RouteState {
	if route.GatewayID == localGateway {
		return types.RouteStateActive
	}
	if gateway, ok := store.NatGateways.Get(r, route.NatGatewayID); ok && isLive(gateway) {
		return types.RouteStateActive
	}
	if gateway, ok := store.InternetGateways.Get(r, route.GatewayID); ok && gateway.VPCID == table.VPCID {
		return types.RouteStateActive
	}
	return types.RouteStateBlackhole
}

// isLive reports whether a NAT gateway is available or will be.
func isLive(row *store.NatGateway) bool {
	return row.State == store.NatPending || row.State == store.NatAvailable
}

// routeRequest holds the parameters that CreateRoute and ReplaceRoute share.
type routeRequest struct {
	tableID, destination    *string
	gatewayID, natGatewayID *string
	unsupported             map[string]bool // targets and destinations that the local cloud lacks
}

// check refuses requests that are invalid whatever the account contains. It returns
// the destination.
func (q routeRequest) check() (netip.Prefix, error) {
	if err := required(parameter{"routeTableId", q.tableID}); err != nil {
		return netip.Prefix{}, err
	}
	if err := unsupported(q.unsupported); err != nil {
		return netip.Prefix{}, err
	}
	if err := required(parameter{"destinationCidrBlock", q.destination}); err != nil {
		return netip.Prefix{}, err
	}
	switch internet, nat := aws.ToString(q.gatewayID), aws.ToString(q.natGatewayID); {
	case internet == "" && nat == "":
		return netip.Prefix{}, missingParameter("gatewayId")
	case internet != "" && nat != "":
		return netip.Prefix{}, wire.Errorf(
			"InvalidParameterCombination",
			"The parameter gatewayId cannot be used with the parameter natGatewayId",
		)
	}
	return parseCIDR("destinationCidrBlock", *q.destination)
}

// target returns the route table of a request and the route that it asks for. Like EC2,
// it accepts the id of either type of gateway in either parameter.
func (q routeRequest) target(r store.Reader, region string) (*store.RouteTable, store.Route, error) {
	table, err := routeTables.get(r, region, *q.tableID)
	if err != nil {
		return nil, store.Route{}, err
	}
	id, vpc, route := cmp.Or(aws.ToString(q.gatewayID), aws.ToString(q.natGatewayID)), "", store.Route{}
	if natGateways.ownsID(id) {
		gateway, ok := store.NatGateways.Get(r, id)
		if !ok || gateway.Region != region || !isLive(gateway) {
			return nil, route, wire.Errorf(
				"InvalidNatGatewayID.NotFound", "The natGateway ID '%s' does not exist", id,
			)
		}
		vpc, route.NatGatewayID = gateway.VPCID, id
	} else {
		gateway, ok := store.InternetGateways.Get(r, id)
		if !ok || gateway.Region != region {
			return nil, route, wire.Errorf("InvalidGatewayID.NotFound", "The gateway ID '%s' does not exist", id)
		}
		vpc, route.GatewayID = gateway.VPCID, id
	}
	if vpc != table.VPCID {
		return nil, route, wire.Errorf(
			"InvalidParameterValue",
			"route table %s and network gateway %s belong to different networks", table.ID, id,
		)
	}
	return table, route, nil
}

func routeIndex(table *store.RouteTable, destination netip.Prefix) int {
	return slices.IndexFunc(table.Routes, func(r store.Route) bool { return r.Destination == destination })
}

// CreateRoute adds a route to the VPC's internet gateway or to a NAT gateway.
func (a *API) CreateRoute(ctx context.Context, in *ec2.CreateRouteInput) (*ec2.CreateRouteOutput, error) {
	request := routeRequest{in.RouteTableId, in.DestinationCidrBlock, in.GatewayId, in.NatGatewayId, map[string]bool{
		"destinationIpv6CidrBlock":    in.DestinationIpv6CidrBlock != nil,
		"destinationPrefixListId":     in.DestinationPrefixListId != nil,
		"instanceId":                  in.InstanceId != nil,
		"networkInterfaceId":          in.NetworkInterfaceId != nil,
		"transitGatewayId":            in.TransitGatewayId != nil,
		"vpcPeeringConnectionId":      in.VpcPeeringConnectionId != nil,
		"vpcEndpointId":               in.VpcEndpointId != nil,
		"egressOnlyInternetGatewayId": in.EgressOnlyInternetGatewayId != nil,
		"localGatewayId":              in.LocalGatewayId != nil,
		"carrierGatewayId":            in.CarrierGatewayId != nil,
		"coreNetworkArn":              in.CoreNetworkArn != nil,
		"odbNetworkArn":               in.OdbNetworkArn != nil,
	}}
	destination, err := request.check()
	if err != nil {
		return nil, err
	}
	out := &ec2.CreateRouteOutput{Return: aws.Bool(true)}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region string) error {
		table, target, err := request.target(tx, region)
		if err != nil {
			return err
		}
		if i := routeIndex(table, destination); i >= 0 {
			if old := table.Routes[i]; old.GatewayID == target.GatewayID && old.NatGatewayID == target.NatGatewayID {
				return nil // EC2 accepts a repeated request
			}
			return wire.Errorf("RouteAlreadyExists", "The route identified by %s already exists.", destination)
		}
		if local := table.Routes[0].Destination; local.Bits() <= destination.Bits() &&
			local.Contains(destination.Addr()) {
			return wire.Errorf(
				"InvalidParameterValue",
				"The destination CIDR block %s is equal to or more specific than one of this VPC's CIDR blocks. "+
					"This route can target only an interface or an instance.",
				destination,
			)
		}
		if err := a.limitRoutes(table); err != nil {
			return err
		}
		store.RouteTables.Edit(tx, table.ID, func(row *store.RouteTable) {
			target.Destination, target.Origin = destination, string(types.RouteOriginCreateRoute)
			row.Routes = append(slices.Clone(row.Routes), target)
		})
		return nil
	})
}

// ReplaceRoute changes the target of a route.
func (a *API) ReplaceRoute(ctx context.Context, in *ec2.ReplaceRouteInput) (*ec2.ReplaceRouteOutput, error) {
	request := routeRequest{in.RouteTableId, in.DestinationCidrBlock, in.GatewayId, in.NatGatewayId, map[string]bool{
		"destinationIpv6CidrBlock":    in.DestinationIpv6CidrBlock != nil,
		"destinationPrefixListId":     in.DestinationPrefixListId != nil,
		"instanceId":                  in.InstanceId != nil,
		"networkInterfaceId":          in.NetworkInterfaceId != nil,
		"transitGatewayId":            in.TransitGatewayId != nil,
		"vpcPeeringConnectionId":      in.VpcPeeringConnectionId != nil,
		"vpcEndpointId":               in.VpcEndpointId != nil,
		"egressOnlyInternetGatewayId": in.EgressOnlyInternetGatewayId != nil,
		"localGatewayId":              in.LocalGatewayId != nil,
		"localTarget":                 aws.ToBool(in.LocalTarget),
		"carrierGatewayId":            in.CarrierGatewayId != nil,
		"coreNetworkArn":              in.CoreNetworkArn != nil,
		"odbNetworkArn":               in.OdbNetworkArn != nil,
	}}
	destination, err := request.check()
	if err != nil {
		return nil, err
	}
	return &ec2.ReplaceRouteOutput{}, a.change(ctx, in.DryRun, func(tx *store.Tx, region string) error {
		table, target, err := request.target(tx, region)
		if err != nil {
			return err
		}
		i := routeIndex(table, destination)
		switch {
		case i < 0:
			return wire.Errorf(
				"InvalidParameterValue",
				"There is no route defined for '%s' in the route table. Use CreateRoute instead.", destination,
			)
		case table.Routes[i].GatewayID == localGateway:
			return wire.Errorf(
				"InvalidParameterValue", "The local route %s can target only an interface or an instance.", destination,
			)
		}
		store.RouteTables.Edit(tx, table.ID, func(row *store.RouteTable) {
			row.Routes = slices.Clone(row.Routes)
			row.Routes[i].GatewayID, row.Routes[i].NatGatewayID = target.GatewayID, target.NatGatewayID
		})
		return nil
	})
}

// DeleteRoute deletes a route. The local route cannot be deleted.
func (a *API) DeleteRoute(ctx context.Context, in *ec2.DeleteRouteInput) (*ec2.DeleteRouteOutput, error) {
	if err := required(parameter{"routeTableId", in.RouteTableId}); err != nil {
		return nil, err
	}
	if err := unsupported(map[string]bool{
		"destinationIpv6CidrBlock": in.DestinationIpv6CidrBlock != nil,
		"destinationPrefixListId":  in.DestinationPrefixListId != nil,
	}); err != nil {
		return nil, err
	}
	if err := required(parameter{"destinationCidrBlock", in.DestinationCidrBlock}); err != nil {
		return nil, err
	}
	destination, err := parseCIDR("destinationCidrBlock", *in.DestinationCidrBlock)
	if err != nil {
		return nil, err
	}
	return &ec2.DeleteRouteOutput{}, a.change(ctx, in.DryRun, func(tx *store.Tx, region string) error {
		table, err := routeTables.get(tx, region, *in.RouteTableId)
		if err != nil {
			return err
		}
		i := routeIndex(table, destination)
		switch {
		case i < 0:
			return wire.Errorf(
				"InvalidRoute.NotFound",
				"no route with destination-cidr-block %s in route table %s", destination, table.ID,
			)
		case table.Routes[i].GatewayID == localGateway:
			return wire.Errorf(
				"InvalidParameterValue", "cannot remove local route %s in route table %s", destination, table.ID,
			)
		}
		store.RouteTables.Edit(
			tx, table.ID, func(row *store.RouteTable) { row.Routes = slices.Delete(slices.Clone(row.Routes), i, i+1) },
		)
		return nil
	})
}
