package ec2

import (
	"context"
	"net/netip"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
)

var routeTables = resourceType[store.RouteTable]{
	table: store.RouteTables, kind: types.ResourceTypeRouteTable, prefix: "rtb-",
	notFoundCode: "InvalidRouteTableID.NotFound", notFoundText: "The routeTable ID",
	malformedCode: "InvalidRouteTableId.Malformed",
	key:           func(row *store.RouteTable) (identity.Region, string) { return row.Region, row.ID },
	tags:          func(row *store.RouteTable) *store.Tags { return &row.Tags },
	filters: withTagFilters(func(row *store.RouteTable) store.Tags { return row.Tags }, filters[*store.RouteTable]{
		"route-table-id": field(func(row *store.RouteTable) string { return row.ID }),
		"vpc-id":         field(func(row *store.RouteTable) string { return row.VPCID }),
		"owner-id":       field(func(row *store.RouteTable) string { return row.Region.Account() }),
		"association.main": byAssociation(func(_ *store.RouteTable, a store.RouteTableAssociation) string {
			return strconv.FormatBool(a.Main)
		}),
		"association.subnet-id": byAssociation(
			func(_ *store.RouteTable, a store.RouteTableAssociation) string { return a.SubnetID },
		),
		"association.route-table-association-id": byAssociation(
			func(_ *store.RouteTable, a store.RouteTableAssociation) string {
				return a.ID
			},
		),
		"association.route-table-id": byAssociation(
			func(row *store.RouteTable, _ store.RouteTableAssociation) string { return row.ID },
		),
		"association.gateway-id": byAssociation(
			func(_ *store.RouteTable, a store.RouteTableAssociation) string { return a.GatewayID },
		),
		"route.destination-cidr-block": byRoute(func(_ store.Reader, _ *store.RouteTable, r store.Route) string {
			return ipv4(r.Destination)
		}),
		"route.gateway-id": byRoute(
			func(_ store.Reader, _ *store.RouteTable, r store.Route) string { return r.GatewayID },
		),
		"route.nat-gateway-id": byRoute(
			func(_ store.Reader, _ *store.RouteTable, r store.Route) string { return r.NatGatewayID },
		),
		"route.origin": byRoute(func(_ store.Reader, _ *store.RouteTable, r store.Route) string { return r.Origin }),
		"route.state": byRoute(func(view store.Reader, row *store.RouteTable, r store.Route) string {
			return string(routeState(view, row, r))
		}),
		"route.destination-ipv6-cidr-block": byRoute(func(_ store.Reader, _ *store.RouteTable, r store.Route) string {
			return ipv6(r.Destination)
		}),
		"route.destination-prefix-list-id": byRoute(
			func(_ store.Reader, _ *store.RouteTable, r store.Route) string { return r.PrefixListID },
		),
		"route.vpc-peering-connection-id": byRoute(
			func(_ store.Reader, _ *store.RouteTable, r store.Route) string { return r.PeeringID },
		),
		"route.egress-only-internet-gateway-id": byRoute(
			func(_ store.Reader, _ *store.RouteTable, r store.Route) string { return r.EgressOnlyID },
		),
		"route.instance-id":        byRoute(routeInstance),
		"route.transit-gateway-id": noValue[*store.RouteTable],
		"route.local-gateway-id":   noValue[*store.RouteTable],
		"route.carrier-gateway-id": noValue[*store.RouteTable],
	}),
}

func byAssociation(
	text func(*store.RouteTable, store.RouteTableAssociation) string,
) func(store.Reader, *store.RouteTable) []string {
	return func(_ store.Reader, row *store.RouteTable) []string {
		values := list(row.Associations, func(a store.RouteTableAssociation) string { return text(row, a) })
		return slices.DeleteFunc(values, func(value string) bool { return value == "" })
	}
}

func byRoute(
	text func(store.Reader, *store.RouteTable, store.Route) string,
) func(store.Reader, *store.RouteTable) []string {
	return func(r store.Reader, row *store.RouteTable) []string {
		values := list(row.Routes, func(route store.Route) string { return text(r, row, route) })
		return slices.DeleteFunc(values, func(value string) bool { return value == "" })
	}
}

// newRouteTable returns a route table with the local routes of a VPC.
func (a *API) newRouteTable(vpc *store.VPC) *store.RouteTable {
	return &store.RouteTable{
		ID: a.ids.ID("rtb-"), Region: vpc.Region, VPCID: vpc.ID,
		Routes: list(slices.Concat(vpc.Blocks(), vpc.IPv6Blocks()), localRoute),
	}
}

// localRoute returns the route to a block of the VPC itself.
func localRoute(block netip.Prefix) store.Route {
	return store.Route{
		Destination: block, GatewayID: localGateway, Origin: string(types.RouteOriginCreateRouteTable),
	}
}

// CreateRouteTable creates a route table with the local route.
func (a *API) CreateRouteTable(
	ctx context.Context, in *ec2.CreateRouteTableInput,
) (*ec2.CreateRouteTableOutput, error) {
	if err := required(parameter{"vpcId", in.VpcId}); err != nil {
		return nil, err
	}
	tags, err := tagsOfSpecifications(in.TagSpecifications, types.ResourceTypeRouteTable)
	if err != nil {
		return nil, err
	}
	var item types.RouteTable
	if err := a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		q := tokenRequest{operation: "CreateRouteTable", token: in.ClientToken, input: in}
		row, err := routeTables.createOnce(a, tx, region, q, func() (*store.RouteTable, error) {
			vpc, err := vpcs.get(tx, region, *in.VpcId)
			if err != nil {
				return nil, err
			}
			if err := a.limitRouteTables(tx, vpc); err != nil {
				return nil, err
			}
			row := a.newRouteTable(vpc)
			row.Tags = tags[types.ResourceTypeRouteTable]
			store.RouteTables.Put(tx, row)
			return row, nil
		})
		if err != nil {
			return err
		}
		item = routeTableItem(tx)(row)
		return nil
	}); err != nil {
		return nil, err
	}
	return &ec2.CreateRouteTableOutput{RouteTable: &item, ClientToken: in.ClientToken}, nil
}

// DescribeRouteTables lists route tables.
func (a *API) DescribeRouteTables(
	ctx context.Context, in *ec2.DescribeRouteTablesInput,
) (*ec2.DescribeRouteTablesOutput, error) {
	view, region, err := a.read(ctx, in.DryRun)
	if err != nil {
		return nil, err
	}
	rows, next, err := routeTables.describe(view, region, describeQuery{
		ids:         in.RouteTableIds,
		idParameter: "routeTableIds",
		filters:     in.Filters,
		page:        pageRequest{in.MaxResults, in.NextToken},
	})
	if err != nil {
		return nil, err
	}
	return &ec2.DescribeRouteTablesOutput{RouteTables: list(rows, routeTableItem(view)), NextToken: next}, nil
}

func routeTableItem(r store.Reader) func(*store.RouteTable) types.RouteTable {
	return func(row *store.RouteTable) types.RouteTable {
		return types.RouteTable{
			RouteTableId: aws.String(row.ID),
			VpcId:        aws.String(row.VPCID),
			OwnerId:      aws.String(row.Region.Account()),
			Routes:       list(row.Routes, func(route store.Route) types.Route { return routeItem(r, row, route) }),
			Associations: list(row.Associations, func(a store.RouteTableAssociation) types.RouteTableAssociation {
				item := types.RouteTableAssociation{
					RouteTableAssociationId: aws.String(a.ID),
					RouteTableId:            aws.String(row.ID), Main: aws.Bool(a.Main), AssociationState: associated(),
				}
				item.SubnetId, item.GatewayId = optionalString(a.SubnetID), optionalString(a.GatewayID)
				return item
			}),
			PropagatingVgws: []types.PropagatingVgw{},
			Tags:            tagSet(row.Tags),
		}
	}
}

func routeItem(r store.Reader, table *store.RouteTable, route store.Route) types.Route {
	item := types.Route{
		DestinationCidrBlock:        optionalString(ipv4(route.Destination)),
		DestinationIpv6CidrBlock:    optionalString(ipv6(route.Destination)),
		EgressOnlyInternetGatewayId: optionalString(route.EgressOnlyID),
		DestinationPrefixListId:     optionalString(route.PrefixListID),
		GatewayId:                   optionalString(route.GatewayID),
		NatGatewayId:                optionalString(route.NatGatewayID),
		VpcPeeringConnectionId:      optionalString(route.PeeringID),
		NetworkInterfaceId:          optionalString(route.InterfaceID),
		Origin:                      types.RouteOrigin(route.Origin),
		State:                       routeState(r, table, route),
	}
	if id := routeInstance(r, table, route); id != "" {
		item.InstanceId, item.InstanceOwnerId = aws.String(id), aws.String(table.Region.Account())
	}
	return item
}

// routeInstance returns the id of the instance to whose interface a route leads, or "".
func routeInstance(r store.Reader, _ *store.RouteTable, route store.Route) string {
	if eni, ok := store.NetworkInterfaces.Get(r, route.InterfaceID); ok {
		return eni.InstanceID
	}
	return ""
}

// DeleteRouteTable deletes a route table that has no associations.
func (a *API) DeleteRouteTable(
	ctx context.Context, in *ec2.DeleteRouteTableInput,
) (*ec2.DeleteRouteTableOutput, error) {
	if err := required(parameter{"routeTableId", in.RouteTableId}); err != nil {
		return nil, err
	}
	return &ec2.DeleteRouteTableOutput{}, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		row, err := routeTables.get(tx, region, *in.RouteTableId)
		if err != nil {
			return err
		}
		if len(row.Associations) > 0 {
			return dependencyViolation("routeTable", row.ID)
		}
		for _, route := range row.Routes {
			if old, ok := store.VPCEndpoints.Get(tx, route.GatewayID); ok {
				endpoint := *old
				removeEndpointRoutes(tx, &endpoint, []string{row.ID})
				store.VPCEndpoints.Put(tx, &endpoint)
			}
		}
		store.RouteTables.Delete(tx, row.ID)
		return nil
	})
}

func isMain(row *store.RouteTable) bool {
	return slices.ContainsFunc(row.Associations, func(a store.RouteTableAssociation) bool { return a.Main })
}

// mainRouteTable returns the route table of a VPC's subnets that are not associated
// with another. Every VPC has one.
func mainRouteTable(r store.Reader, vpcID string) *store.RouteTable {
	tables := store.RouteTablesByVPC.List(r, vpcID)
	return tables[slices.IndexFunc(tables, isMain)]
}
