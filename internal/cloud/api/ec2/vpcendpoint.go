package ec2

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// openPolicy is the policy of a gateway endpoint that is created without one, and openStatement that
// of an interface endpoint (Amazon VPC User Guide, Endpoint policies).
const (
	openPolicy = `{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*",` +
		`"Resource":"*"}]}`
	openStatement = `{"Statement":[{"Action":"*","Effect":"Allow","Principal":"*","Resource":"*"}]}`
)

type endpoint = *store.VPCEndpoint

var endpoints = resourceType[store.VPCEndpoint]{
	table: store.VPCEndpoints, kind: types.ResourceTypeVpcEndpoint, prefix: "vpce-",
	notFoundCode: "InvalidVpcEndpointId.NotFound", notFoundText: "The Vpc Endpoint Id",
	malformedCode: "InvalidVpcEndpointId.Malformed",
	key:           func(row endpoint) (identity.Region, string) { return row.Region, row.ID },
	tags:          func(row endpoint) *store.Tags { return &row.Tags },
	filters: withTagFilters(func(row endpoint) store.Tags { return row.Tags }, filters[endpoint]{
		"ip-address-type": optionalField(func(row endpoint) string {
			if row.IsInterface() {
				return string(types.IpAddressTypeIpv4)
			}
			return ""
		}),
		"service-name":       field(func(row endpoint) string { return row.Service }),
		"service-region":     field(func(row endpoint) string { return row.Region.Name() }),
		"vpc-id":             field(func(row endpoint) string { return row.VPCID }),
		"vpc-endpoint-id":    field(func(row endpoint) string { return row.ID }),
		"vpc-endpoint-state": field(endpointState),
		"vpc-endpoint-type":  field(func(row endpoint) string { return string(endpointType(row)) }),
	}),
}

func endpointType(row endpoint) types.VpcEndpointType {
	if row.IsInterface() {
		return types.VpcEndpointTypeInterface
	}
	return types.VpcEndpointTypeGateway
}

func endpointState(row endpoint) string {
	if row.IsInterface() {
		return row.State
	}
	return store.EndpointAvailable
}

// endpointParameters are the parameters that the operations on endpoints of a type support.
var endpointParameters = map[types.VpcEndpointType][]string{
	types.VpcEndpointTypeGateway: {
		"DryRun", "VpcId", "ServiceName", "VpcEndpointType", "PolicyDocument", "ClientToken", "TagSpecifications",
		"RouteTableIds", "VpcEndpointId", "AddRouteTableIds", "RemoveRouteTableIds", "ResetPolicy",
	},
	types.VpcEndpointTypeInterface: {
		"DryRun", "VpcId", "ServiceName", "VpcEndpointType", "PolicyDocument", "ClientToken", "TagSpecifications",
		"SubnetIds", "SecurityGroupIds", "PrivateDnsEnabled", "DnsOptions.DnsRecordIpType=ipv4", "IpAddressType=ipv4",
		"VpcEndpointId", "AddSubnetIds", "RemoveSubnetIds", "AddSecurityGroupIds", "RemoveSecurityGroupIds",
		"ResetPolicy",
	},
}

// CreateVpcEndpoint creates a gateway endpoint or an interface endpoint.
func (a *API) CreateVpcEndpoint(
	ctx context.Context, in *ec2.CreateVpcEndpointInput,
) (*ec2.CreateVpcEndpointOutput, error) {
	if err := required(parameter{"vpcId", in.VpcId}, parameter{"serviceName", in.ServiceName}); err != nil {
		return nil, err
	}
	kind := in.VpcEndpointType
	if kind == "" {
		kind = types.VpcEndpointTypeGateway
	}
	parameters, ok := endpointParameters[kind]
	if !ok {
		return nil, unsupported(map[string]bool{"vpcEndpointType": true})
	}
	if err := supportOnly(in, parameters...); err != nil {
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
			return a.newEndpoint(tx, region, kind, in, tags[types.ResourceTypeVpcEndpoint])
		})
		if err != nil {
			return err
		}
		item := endpointItem(tx)(row)
		out.VpcEndpoint = &item
		return nil
	})
}

func (a *API) newEndpoint(
	tx *store.Tx, region identity.Region, kind types.VpcEndpointType, in *ec2.CreateVpcEndpointInput, tags store.Tags,
) (endpoint, error) {
	vpc, err := vpcs.get(tx, region, *in.VpcId)
	if err != nil {
		return nil, err
	}
	if err := checkEndpointService(region, *in.ServiceName, kind); err != nil {
		return nil, err
	}
	row := &store.VPCEndpoint{
		ID: a.ids.ID(endpoints.prefix), Region: region, VPCID: vpc.ID, Service: *in.ServiceName,
		Created: a.Now().UTC(), Tags: tags,
	}
	if kind == types.VpcEndpointTypeInterface {
		err = a.completeInterface(tx, vpc, row, in)
	} else {
		err = a.completeGateway(tx, row, in)
	}
	if err == nil {
		row.Policy, err = a.endpointPolicy(row, in.PolicyDocument)
	}
	if err != nil {
		return nil, err
	}
	store.VPCEndpoints.Put(tx, row)
	return row, nil
}

// endpointPolicy returns the policy of a request, which must allow everything unless the local
// cloud is simulated: nothing on the way to a service evaluates it.
func (a *API) endpointPolicy(row endpoint, document *string) (string, error) {
	text := aws.ToString(document)
	switch {
	case text == "" && row.IsInterface():
		return openStatement, nil
	case text == "":
		return openPolicy, nil
	}
	var given, open any
	if json.Unmarshal([]byte(text), &given) != nil {
		return "", wire.Errorf("InvalidPolicyDocument", "Policy is not a valid JSON document")
	}
	if err := json.Unmarshal([]byte(openStatement), &open); err != nil {
		return "", err
	}
	if policy, ok := given.(map[string]any); ok && !a.Simulated {
		delete(policy, "Version")
		if !reflect.DeepEqual(given, open) {
			return "", unsupported(map[string]bool{"policyDocument": true})
		}
	}
	return text, nil
}

// ModifyVpcEndpoint changes the policy of an endpoint, the route tables of a gateway endpoint, and the
// subnets, security groups and names of an interface endpoint.
func (a *API) ModifyVpcEndpoint(
	ctx context.Context, in *ec2.ModifyVpcEndpointInput,
) (*ec2.ModifyVpcEndpointOutput, error) {
	if err := required(parameter{"vpcEndpointId", in.VpcEndpointId}); err != nil {
		return nil, err
	}
	out := &ec2.ModifyVpcEndpointOutput{Return: aws.Bool(true)}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		old, err := endpoints.get(tx, region, *in.VpcEndpointId)
		if err != nil {
			return err
		}
		if err := supportOnly(in, endpointParameters[endpointType(old)]...); err != nil {
			return err
		}
		row := *old
		if row.IsInterface() {
			err = a.modifyInterface(tx, &row, in)
		} else {
			err = modifyGateway(tx, &row, in)
		}
		if err == nil && (in.PolicyDocument != nil || aws.ToBool(in.ResetPolicy)) {
			row.Policy, err = a.endpointPolicy(&row, in.PolicyDocument)
		}
		if err != nil {
			return err
		}
		store.VPCEndpoints.Put(tx, &row)
		return nil
	})
}

// DeleteVpcEndpoints deletes endpoints with the routes to them or their network interfaces. It
// reports those that do not exist and deletes the others.
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
			if row.IsInterface() {
				a.deleteInterface(tx, &row)
				continue
			}
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
	return &ec2.DescribeVpcEndpointsOutput{VpcEndpoints: list(rows, endpointItem(view)), NextToken: next}, nil
}

func endpointItem(r store.Reader) func(endpoint) types.VpcEndpoint {
	return func(row endpoint) types.VpcEndpoint {
		item := types.VpcEndpoint{
			VpcEndpointId: aws.String(row.ID), VpcEndpointType: endpointType(row), VpcId: aws.String(row.VPCID),
			ServiceName: aws.String(row.Service), ServiceRegion: aws.String(row.Region.Name()),
			State:         types.State(endpointState(row)),
			RouteTableIds: list(row.RouteTableIDs, func(id string) string { return id }),
			SubnetIds:     []string{}, Groups: []types.SecurityGroupIdentifier{}, NetworkInterfaceIds: []string{},
			DnsEntries: []types.DnsEntry{}, PrivateDnsEnabled: aws.Bool(row.PrivateDNS),
			RequesterManaged: aws.Bool(false), PolicyDocument: aws.String(row.Policy),
			CreationTimestamp: aws.Time(row.Created), OwnerId: aws.String(row.Region.Account()), Tags: tagSet(row.Tags),
		}
		if row.IsInterface() {
			describeInterface(r, row, &item)
		}
		return item
	}
}
