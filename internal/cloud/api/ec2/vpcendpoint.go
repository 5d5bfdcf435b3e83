package ec2

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// openPolicy is the policy of an endpoint that is created without one (Amazon VPC User Guide,
// Endpoint policies).
const openPolicy = `{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*",` +
	`"Resource":"*"}]}`

type endpoint = *store.VPCEndpoint

var endpoints = resourceType[store.VPCEndpoint]{
	table: store.VPCEndpoints, kind: types.ResourceTypeVpcEndpoint, prefix: "vpce-",
	notFoundCode: "InvalidVpcEndpointId.NotFound", notFoundText: "The Vpc Endpoint Id",
	malformedCode: "InvalidVpcEndpointId.Malformed",
	key:           func(row endpoint) (identity.Region, string) { return row.Region, row.ID },
	tags:          func(row endpoint) *store.Tags { return &row.Tags },
	filters: withTagFilters(func(row endpoint) store.Tags { return row.Tags }, filters[endpoint]{
		"ip-address-type":    noValue[endpoint],
		"service-name":       field(func(row endpoint) string { return row.Service }),
		"service-region":     field(func(row endpoint) string { return row.Region.Name() }),
		"vpc-id":             field(func(row endpoint) string { return row.VPCID }),
		"vpc-endpoint-id":    field(func(row endpoint) string { return row.ID }),
		"vpc-endpoint-state": constant[endpoint](string(types.StateAvailable)),
		"vpc-endpoint-type":  constant[endpoint](string(types.VpcEndpointTypeGateway)),
	}),
}

// CreateVpcEndpoint creates a gateway endpoint: a route to Amazon S3 in route tables. Machines
// reach the APIs of the local cloud at a link-local address, so the route carries nothing.
func (a *API) CreateVpcEndpoint(
	ctx context.Context, in *ec2.CreateVpcEndpointInput,
) (*ec2.CreateVpcEndpointOutput, error) {
	if err := required(parameter{"vpcId", in.VpcId}, parameter{"serviceName", in.ServiceName}); err != nil {
		return nil, err
	}
	if err := supportOnly(in, "DryRun", "VpcId", "ServiceName", "VpcEndpointType=Gateway", "RouteTableIds",
		"PolicyDocument", "ClientToken", "TagSpecifications"); err != nil {
		return nil, err
	}
	policy, err := a.endpointPolicy(in.PolicyDocument)
	if err != nil {
		return nil, err
	}
	tags, err := tagsOfSpecifications(in.TagSpecifications, types.ResourceTypeVpcEndpoint)
	if err != nil {
		return nil, err
	}
	out := &ec2.CreateVpcEndpointOutput{ClientToken: in.ClientToken}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		q := tokenRequest{operation: "CreateVpcEndpoint", token: in.ClientToken, input: in}
		row, err := endpoints.createOnce(a, tx, region, q, func() (*store.VPCEndpoint, error) {
			vpc, err := vpcs.get(tx, region, *in.VpcId)
			if err != nil {
				return nil, err
			}
			if *in.ServiceName != s3Service(region) {
				return nil, wire.Errorf("InvalidServiceName",
					"The Vpc Endpoint Service '%s' does not exist", *in.ServiceName)
			}
			if err := a.limitGatewayEndpoints(tx, region); err != nil {
				return nil, err
			}
			row := &store.VPCEndpoint{
				ID: a.ids.ID(endpoints.prefix), Region: region, VPCID: vpc.ID, Service: *in.ServiceName,
				PrefixListID: s3PrefixListID(region), Policy: policy, Created: a.Now().UTC(),
				Tags: tags[types.ResourceTypeVpcEndpoint],
			}
			if err := addEndpointRoutes(tx, row, in.RouteTableIds); err != nil {
				return nil, err
			}
			store.VPCEndpoints.Put(tx, row)
			return row, nil
		})
		if err != nil {
			return err
		}
		item := endpointItem(row)
		out.VpcEndpoint = &item
		return nil
	})
}

// endpointPolicy returns the policy of a request, which must allow everything unless the local
// cloud is simulated: nothing on the way to S3 knows the endpoint.
func (a *API) endpointPolicy(document *string) (string, error) {
	text := aws.ToString(document)
	if text == "" {
		return openPolicy, nil
	}
	var given, open any
	if json.Unmarshal([]byte(text), &given) != nil {
		return "", wire.Errorf("InvalidPolicyDocument", "Policy is not a valid JSON document")
	}
	if err := json.Unmarshal([]byte(openPolicy), &open); err != nil {
		return "", err
	}
	if policy, ok := given.(map[string]any); ok && !a.Simulated {
		delete(policy, "Version")
		delete(open.(map[string]any), "Version")
		if !reflect.DeepEqual(given, open) {
			return "", unsupported(map[string]bool{"policyDocument": true})
		}
	}
	return text, nil
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

// ModifyVpcEndpoint changes the route tables and the policy of an endpoint.
func (a *API) ModifyVpcEndpoint(
	ctx context.Context, in *ec2.ModifyVpcEndpointInput,
) (*ec2.ModifyVpcEndpointOutput, error) {
	if err := required(parameter{"vpcEndpointId", in.VpcEndpointId}); err != nil {
		return nil, err
	}
	if err := supportOnly(in, "DryRun", "VpcEndpointId", "AddRouteTableIds", "RemoveRouteTableIds", "PolicyDocument",
		"ResetPolicy"); err != nil {
		return nil, err
	}
	policy, err := a.endpointPolicy(in.PolicyDocument)
	if err != nil {
		return nil, err
	}
	out := &ec2.ModifyVpcEndpointOutput{Return: aws.Bool(true)}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		old, err := endpoints.get(tx, region, *in.VpcEndpointId)
		if err != nil {
			return err
		}
		row := *old
		removeEndpointRoutes(tx, &row, in.RemoveRouteTableIds)
		if err := addEndpointRoutes(tx, &row, in.AddRouteTableIds); err != nil {
			return err
		}
		if in.PolicyDocument != nil || aws.ToBool(in.ResetPolicy) {
			row.Policy = policy
		}
		store.VPCEndpoints.Put(tx, &row)
		return nil
	})
}

// DeleteVpcEndpoints deletes endpoints with the routes to them. It reports those that do not
// exist and deletes the others.
func (a *API) DeleteVpcEndpoints(
	ctx context.Context, in *ec2.DeleteVpcEndpointsInput,
) (*ec2.DeleteVpcEndpointsOutput, error) {
	if len(in.VpcEndpointIds) == 0 {
		return nil, missingParameter("vpcEndpointId")
	}
	out := &ec2.DeleteVpcEndpointsOutput{Unsuccessful: []types.UnsuccessfulItem{}}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		for _, id := range in.VpcEndpointIds {
			old, err := endpoints.get(tx, region, id)
			if err != nil {
				out.Unsuccessful = append(out.Unsuccessful, unsuccessful(id, err))
				continue
			}
			row := *old
			removeEndpointRoutes(tx, &row, row.RouteTableIDs)
			store.VPCEndpoints.Delete(tx, id)
		}
		return nil
	})
}

// unsuccessful tells why an operation left a resource alone.
func unsuccessful(id string, err error) types.UnsuccessfulItem {
	item := types.UnsuccessfulItem{ResourceId: aws.String(id), Error: &types.UnsuccessfulItemError{}}
	if refusal, ok := errors.AsType[*wire.Error](err); ok {
		item.Error.Code, item.Error.Message = aws.String(refusal.Code), aws.String(refusal.Message)
	}
	return item
}

// DescribeVpcEndpoints lists endpoints.
func (a *API) DescribeVpcEndpoints(
	ctx context.Context, in *ec2.DescribeVpcEndpointsInput,
) (*ec2.DescribeVpcEndpointsOutput, error) {
	view, region, err := a.read(ctx, in.DryRun)
	if err != nil {
		return nil, err
	}
	rows, next, err := endpoints.describe(view, region, describeQuery{
		ids: in.VpcEndpointIds, idParameter: "vpcEndpointIds", filters: in.Filters,
		page: pageRequest{in.MaxResults, in.NextToken},
	})
	if err != nil {
		return nil, err
	}
	return &ec2.DescribeVpcEndpointsOutput{VpcEndpoints: list(rows, endpointItem), NextToken: next}, nil
}

func endpointItem(row endpoint) types.VpcEndpoint {
	return types.VpcEndpoint{
		VpcEndpointId: aws.String(row.ID), VpcEndpointType: types.VpcEndpointTypeGateway,
		VpcId: aws.String(row.VPCID), ServiceName: aws.String(row.Service), State: types.StateAvailable,
		RouteTableIds: list(row.RouteTableIDs, func(id string) string { return id }),
		SubnetIds:     []string{}, Groups: []types.SecurityGroupIdentifier{}, NetworkInterfaceIds: []string{},
		DnsEntries: []types.DnsEntry{}, PrivateDnsEnabled: aws.Bool(false), RequesterManaged: aws.Bool(false),
		PolicyDocument: aws.String(row.Policy), CreationTimestamp: aws.Time(row.Created),
		OwnerId: aws.String(row.Region.Account()), Tags: tagSet(row.Tags),
	}
}
