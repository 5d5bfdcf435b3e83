package ec2

import (
	"cmp"
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/nat64"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// localGateway is the target of the route to a VPC's own CIDR block.
const localGateway = "local"

// routeState returns active for a route whose target exists and is connected to the table's
// VPC, and blackhole for others.
func routeState(r store.Reader, table *store.RouteTable, route store.Route) types.RouteState {
	active := route.GatewayID == localGateway
	if gateway, ok := store.NatGateways.Get(r, route.NatGatewayID); ok && isLive(gateway) {
		active = true
	}
	if gateway, ok := store.InternetGateways.Get(r, route.GatewayID); ok && gateway.VPCID == table.VPCID {
		active = true
	}
	if gateway, ok := store.EgressOnlyGateways.Get(r, route.EgressOnlyID); ok && gateway.VPCID == table.VPCID {
		active = true
	}
	if peering, ok := store.PeeringConnections.Get(r, route.PeeringID); ok && peering.State == store.PeeringActive {
		active = true
	}
	if _, ok := store.VPCEndpoints.Get(r, route.GatewayID); ok {
		active = true
	}
	if eni, ok := store.NetworkInterfaces.Get(r, route.InterfaceID); ok && isAttachedToRunning(r, eni) {
		active = true
	}
	if active {
		return types.RouteStateActive
	}
	return types.RouteStateBlackhole
}

// isAttachedToRunning reports whether an interface is attached to an instance that runs.
func isAttachedToRunning(r store.Reader, eni nic) bool {
	instance, ok := store.Instances.Get(r, eni.InstanceID)
	return ok && (instance.State == store.Pending || instance.State == store.Running)
}

// isLive reports whether a NAT gateway is available or will be.
func isLive(row *store.NatGateway) bool {
	return row.State == store.NatPending || row.State == store.NatAvailable
}

// routeRequest holds the parameters that operations on routes share.
type routeRequest struct {
	tableID, block, block6, prefixListID *string
	gatewayID, natGatewayID, peeringID   *string
	interfaceID, instanceID              *string
	egressOnlyID                         *string
	local                                *bool // lead within the VPC again
}

// routeParameters are the parameters of operations on routes that the local cloud supports.
var routeParameters = []string{
	"DryRun", "RouteTableId", "DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId",
	"GatewayId", "NatGatewayId", "VpcPeeringConnectionId", "NetworkInterfaceId", "InstanceId",
	"EgressOnlyInternetGatewayId",
}

// destination refuses requests whose destination is invalid whatever the account contains.
// It returns a route that has only the destination.
func (q routeRequest) destination() (to store.Route, err error) {
	if err := required(parameter{"routeTableId", q.tableID}); err != nil {
		return to, err
	}
	to.PrefixListID = aws.ToString(q.prefixListID)
	given := givenParameters([]parameter{
		{"destinationPrefixListId", q.prefixListID}, {"destinationCidrBlock", q.block},
		{"destinationIpv6CidrBlock", q.block6},
	})
	switch {
	case len(given) > 1:
		return to, exclusive(given)
	case to.PrefixListID != "":
		return to, prefixLists.checkID(to.PrefixListID)
	case len(given) == 0:
		return to, wire.Errorf("MissingParameter",
			"The request must contain the parameter destinationCidrBlock or destinationIpv6CidrBlock")
	case aws.ToString(q.block6) != "":
		to.Destination, err = parseIPv6CIDR("destinationIpv6CidrBlock", *q.block6)
		return to, err
	default:
		to.Destination, err = parseCIDR("destinationCidrBlock", *q.block)
		return to, err
	}
}

// givenParameters returns the names of the parameters that are set.
func givenParameters(all []parameter) (given []string) {
	for _, p := range all {
		if aws.ToString(p.value) != "" {
			given = append(given, p.name)
		}
	}
	return given
}

// exclusive returns the error for parameters of which a request can have one.
func exclusive(given []string) error {
	return wire.Errorf(
		"InvalidParameterCombination", "The parameter %s cannot be used with the parameter %s", given[0], given[1],
	)
}

// check refuses requests that are invalid whatever the account contains. It returns a
// route that has only the destination.
func (q routeRequest) check() (store.Route, error) {
	to, err := q.destination()
	if err != nil {
		return to, err
	}
	switch given := givenParameters([]parameter{
		{"gatewayId", q.gatewayID}, {"natGatewayId", q.natGatewayID}, {"vpcPeeringConnectionId", q.peeringID},
		{"networkInterfaceId", q.interfaceID}, {"instanceId", q.instanceID},
		{"egressOnlyInternetGatewayId", q.egressOnlyID},
	}); {
	case aws.ToBool(q.local) && len(given) > 0:
		return to, exclusive([]string{"localTarget", given[0]})
	case len(given) == 0 && !aws.ToBool(q.local):
		return to, missingParameter("gatewayId")
	case len(given) <= 1:
		return to, nil
	default:
		return to, exclusive(given)
	}
}

// target returns the route table of a request, and the route to a destination with the
// target that it asks for.
func (q routeRequest) target(
	r store.Reader, region identity.Region, to store.Route,
) (*store.RouteTable, store.Route, error) {
	table, err := routeTables.get(r, region, *q.tableID)
	if err != nil {
		return nil, to, err
	}
	if to.PrefixListID != "" {
		if _, err := prefixLists.get(r, region, to.PrefixListID); err != nil {
			return nil, to, err
		}
	}
	switch {
	case aws.ToBool(q.local):
		to.GatewayID = localGateway
	case aws.ToString(q.interfaceID) != "" || aws.ToString(q.instanceID) != "":
		to.InterfaceID, err = q.interfaceTarget(r, table)
	default:
		to, err = q.gatewayTarget(r, table, to)
	}
	return table, to, err
}

// gatewayTarget returns a route with the gateway or peering connection that a request names
// as its target. Like EC2, it accepts the id of either type of gateway in either parameter.
func (q routeRequest) gatewayTarget(r store.Reader, table *store.RouteTable, to store.Route) (store.Route, error) {
	region := table.Region
	id := cmp.Or(
		aws.ToString(q.gatewayID), aws.ToString(q.natGatewayID), aws.ToString(q.peeringID),
		aws.ToString(q.egressOnlyID),
	)
	var connected []string // the VPCs whose route tables can have the target
	switch {
	case egressOnlyGateways.ownsID(id) || aws.ToString(q.egressOnlyID) != "":
		gateway, err := egressOnlyGateways.get(r, region, id)
		if err != nil {
			return to, err
		}
		connected, to.EgressOnlyID = []string{gateway.VPCID}, id
	case natGateways.ownsID(id):
		gateway, ok := store.NatGateways.Get(r, id)
		if !ok || gateway.Region != region || !isLive(gateway) {
			return to, wire.Errorf("InvalidNatGatewayID.NotFound", "The natGateway ID '%s' does not exist", id)
		}
		connected, to.NatGatewayID = []string{gateway.VPCID}, id
	case peerings.ownsID(id) || aws.ToString(q.peeringID) != "":
		peering, err := peerings.get(r, region, id)
		if err != nil {
			return to, err
		}
		connected, to.PeeringID = []string{peering.Requester.VPCID, peering.Accepter.VPCID}, id
	default:
		gateway, ok := store.InternetGateways.Get(r, id)
		if !ok || gateway.Region != region {
			return to, wire.Errorf("InvalidGatewayID.NotFound", "The gateway ID '%s' does not exist", id)
		}
		connected, to.GatewayID = []string{gateway.VPCID}, id
	}
	if !slices.Contains(connected, table.VPCID) {
		return to, wire.Errorf(
			"InvalidParameterValue",
			"route table %s and network gateway %s belong to different networks", table.ID, id,
		)
	}
	return to, checkFamily(to)
}

// checkFamily refuses a route to a gateway that cannot have routes of its family.
func checkFamily(route store.Route) error {
	isIPv6 := route.Destination.Addr().Is6()
	switch {
	case route.EgressOnlyID != "" && !isIPv6:
		return invalidValue("egressOnlyInternetGatewayId", route.EgressOnlyID, "Its routes are of IPv6.")
	case route.NatGatewayID != "" && isIPv6 && route.Destination != nat64.Prefix:
		return unsupported(map[string]bool{
			"natGatewayId for a destinationIpv6CidrBlock besides " + nat64.Prefix.String(): true,
		})
	}
	return nil
}

// interfaceTarget returns the id of the network interface that a request names, itself or by
// its instance.
func (q routeRequest) interfaceTarget(r store.Reader, table *store.RouteTable) (string, error) {
	id := aws.ToString(q.interfaceID)
	if id == "" {
		instance, err := instances.get(r, table.Region, *q.instanceID)
		if err != nil {
			return "", err
		}
		sole, err := soleInterface(r, instance)
		if err != nil {
			return "", err
		}
		id = sole.ID
	}
	eni, err := networkInterfaces.get(r, table.Region, id)
	switch {
	case err != nil:
		return "", err
	case eni.VPCID != table.VPCID:
		return "", wire.Errorf("InvalidParameterValue",
			"route table %s and interface %s belong to different networks", table.ID, id)
	}
	return id, checkNotManaged(r, id)
}

func routeIndex(table *store.RouteTable, to store.Route) int {
	return slices.IndexFunc(table.Routes, func(r store.Route) bool { return r.To() == to.To() })
}

// isOwn reports whether a route was made with its table, for a block of the VPC. It is local until
// ReplaceRoute gives it another target.
func isOwn(route store.Route) bool { return route.Origin == string(types.RouteOriginCreateRouteTable) }

// isInVPC reports whether a route leads to the table's VPC or to a part of it.
func isInVPC(table *store.RouteTable, route store.Route) bool {
	return route.Destination.IsValid() && slices.ContainsFunc(table.Routes, func(own store.Route) bool {
		return isOwn(own) && own.Destination.Bits() <= route.Destination.Bits() &&
			own.Destination.Contains(route.Destination.Addr())
	})
}

// checkWithin refuses a route to a part of the table's VPC that EC2 does not allow: one that is more
// specific than the local route leads to all addresses of a subnet, and passes an interface (Amazon
// VPC User Guide, Subnet route tables).
func checkWithin(r store.Reader, table *store.RouteTable, route store.Route) error {
	if !isInVPC(table, route) {
		return nil
	}
	if route.InterfaceID == "" {
		return withinError(route)
	}
	for _, subnet := range store.SubnetsByVPC.List(r, table.VPCID) {
		if route.Destination == subnet.CIDR || route.Destination == subnet.IPv6.CIDR {
			return nil
		}
	}
	return wire.Errorf("InvalidParameterValue", "Route destination doesn't match any subnet CIDR blocks.")
}

func withinError(route store.Route) error {
	return wire.Errorf(
		"InvalidParameterValue",
		"The destination CIDR block %s is equal to or more specific than one of this VPC's CIDR blocks. "+
			"This route can target only an interface or an instance.",
		route.To(),
	)
}

// checkReplacement refuses a target that a route of a table cannot get.
func checkReplacement(r store.Reader, table *store.RouteTable, old, target store.Route) error {
	switch isLocal := target.GatewayID == localGateway; {
	case isEndpointRoute(old):
		return endpointRouteError(old)
	case isOwn(old) && !isLocal && target.InterfaceID == "":
		return withinError(target)
	case isOwn(old):
		return nil
	case isLocal:
		return invalidValue("localTarget", "true", "The route is not a local route.")
	}
	return checkWithin(r, table, target)
}

// CreateRoute adds a route to the VPC's internet gateway, to a NAT gateway, to a peered VPC
// or to a network interface.
func (a *API) CreateRoute(ctx context.Context, in *ec2.CreateRouteInput) (*ec2.CreateRouteOutput, error) {
	if err := supportOnly(in, routeParameters...); err != nil {
		return nil, err
	}
	request := routeRequest{
		in.RouteTableId, in.DestinationCidrBlock, in.DestinationIpv6CidrBlock, in.DestinationPrefixListId,
		in.GatewayId, in.NatGatewayId, in.VpcPeeringConnectionId, in.NetworkInterfaceId, in.InstanceId,
		in.EgressOnlyInternetGatewayId, nil,
	}
	destination, err := request.check()
	if err != nil {
		return nil, err
	}
	out := &ec2.CreateRouteOutput{Return: aws.Bool(true)}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		table, target, err := request.target(tx, region, destination)
		if err != nil {
			return err
		}
		if i := routeIndex(table, destination); i >= 0 {
			if table.Routes[i].Target() == target.Target() {
				return nil // EC2 accepts a repeated request
			}
			return wire.Errorf("RouteAlreadyExists", "The route identified by %s already exists.", destination.To())
		}
		if isIngressTable(table) {
			if err := checkIngressRoute(table, target); err != nil {
				return err
			}
		}
		if err := checkWithin(tx, table, target); err != nil {
			return err
		}
		if err := a.limitRoutes(table); err != nil {
			return err
		}
		store.RouteTables.Edit(tx, table.ID, func(row *store.RouteTable) {
			target.Origin = string(types.RouteOriginCreateRoute)
			row.Routes = append(slices.Clone(row.Routes), target)
		})
		return nil
	})
}

// ReplaceRoute changes the target of a route. That of a local route can be an interface, and local
// again.
func (a *API) ReplaceRoute(ctx context.Context, in *ec2.ReplaceRouteInput) (*ec2.ReplaceRouteOutput, error) {
	if err := supportOnly(in, append([]string{"LocalTarget"}, routeParameters...)...); err != nil {
		return nil, err
	}
	request := routeRequest{
		in.RouteTableId, in.DestinationCidrBlock, in.DestinationIpv6CidrBlock, in.DestinationPrefixListId,
		in.GatewayId, in.NatGatewayId, in.VpcPeeringConnectionId, in.NetworkInterfaceId, in.InstanceId,
		in.EgressOnlyInternetGatewayId, in.LocalTarget,
	}
	destination, err := request.check()
	if err != nil {
		return nil, err
	}
	return &ec2.ReplaceRouteOutput{}, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		table, target, err := request.target(tx, region, destination)
		if err != nil {
			return err
		}
		i := routeIndex(table, destination)
		if i < 0 {
			return wire.Errorf(
				"InvalidParameterValue",
				"There is no route defined for '%s' in the route table. Use CreateRoute instead.", destination.To(),
			)
		}
		if err := checkReplacement(tx, table, table.Routes[i], target); err != nil {
			return err
		}
		store.RouteTables.Edit(tx, table.ID, func(row *store.RouteTable) {
			row.Routes = slices.Clone(row.Routes)
			target.Origin = row.Routes[i].Origin
			row.Routes[i] = target
		})
		return nil
	})
}

// DeleteRoute deletes a route. The local route cannot be deleted.
func (a *API) DeleteRoute(ctx context.Context, in *ec2.DeleteRouteInput) (*ec2.DeleteRouteOutput, error) {
	if err := supportOnly(in, routeParameters...); err != nil {
		return nil, err
	}
	request := routeRequest{
		tableID: in.RouteTableId, block: in.DestinationCidrBlock, block6: in.DestinationIpv6CidrBlock,
		prefixListID: in.DestinationPrefixListId,
	}
	destination, err := request.destination()
	if err != nil {
		return nil, err
	}
	return &ec2.DeleteRouteOutput{}, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		table, err := routeTables.get(tx, region, *in.RouteTableId)
		if err != nil {
			return err
		}
		i := routeIndex(table, destination)
		switch {
		case i < 0:
			return wire.Errorf(
				"InvalidRoute.NotFound",
				"no route with destination-cidr-block %s in route table %s", destination.To(), table.ID,
			)
		case isOwn(table.Routes[i]):
			return wire.Errorf(
				"InvalidParameterValue", "cannot remove local route %s in route table %s", destination.To(), table.ID,
			)
		case isEndpointRoute(table.Routes[i]):
			return endpointRouteError(table.Routes[i])
		}
		store.RouteTables.Edit(
			tx, table.ID, func(row *store.RouteTable) { row.Routes = slices.Delete(slices.Clone(row.Routes), i, i+1) },
		)
		return nil
	})
}
