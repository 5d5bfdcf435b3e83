package ec2

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/addressing"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/cloud/quota"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// connectEndpoint abbreviates the type of the row of an EC2 Instance Connect Endpoint.
type connectEndpoint = *store.InstanceConnectEndpoint

// connectEndpoints: the codes are those of the Amazon EC2 API Reference, Error codes.
var connectEndpoints = resourceType[store.InstanceConnectEndpoint]{
	table: store.InstanceConnectEndpoints, kind: types.ResourceTypeInstanceConnectEndpoint, prefix: "eice-",
	notFoundCode: "InvalidInstanceConnectEndpointId.NotFound", notFoundText: "The instance connect endpoint ID",
	malformedCode: "InvalidInstanceConnectEndpointId.Malformed",
	key:           func(row connectEndpoint) (identity.Region, string) { return row.Region, row.ID },
	tags:          func(row connectEndpoint) *store.Tags { return &row.Tags },
}

// connectEndpointFilters returns the filters of DescribeInstanceConnectEndpoints at a time.
func connectEndpointFilters(at time.Time) filters[connectEndpoint] {
	return withTagFilters(func(row connectEndpoint) store.Tags { return row.Tags }, filters[connectEndpoint]{
		"instance-connect-endpoint-id": field(func(row connectEndpoint) string { return row.ID }),
		"state": field(
			func(row connectEndpoint) string { return connectEndpointState(row, at) },
		),
		"subnet-id": field(func(row connectEndpoint) string { return row.SubnetID }),
		"vpc-id":    field(func(row connectEndpoint) string { return row.VPCID }),
	})
}

func connectEndpointState(row connectEndpoint, at time.Time) string {
	state := types.Ec2InstanceConnectEndpointStateCreateInProgress
	switch {
	case row.Deleting:
		state = types.Ec2InstanceConnectEndpointStateDeleteInProgress
	case row.Serves(at):
		state = types.Ec2InstanceConnectEndpointStateCreateComplete
	}
	return string(state)
}

// connectDomain ends the names of endpoints. On AWS it is amazonaws.com; names below localhost
// lead to the local cloud without DNS.
const connectDomain = "localhost"

// CreateInstanceConnectEndpoint creates an EC2 Instance Connect Endpoint in a subnet.
func (a *API) CreateInstanceConnectEndpoint(
	ctx context.Context, in *ec2.CreateInstanceConnectEndpointInput,
) (*ec2.CreateInstanceConnectEndpointOutput, error) {
	if err := required(parameter{"subnetId", in.SubnetId}); err != nil {
		return nil, err
	}
	switch in.IpAddressType {
	case "", types.IpAddressTypeIpv4:
	case types.IpAddressTypeDualstack, types.IpAddressTypeIpv6:
		return nil, invalidValue("ipAddressType", string(in.IpAddressType), "The subnet has only IPv4 addresses.")
	default:
		return nil, invalidValue("ipAddressType", string(in.IpAddressType), "Use ipv4, dualstack or ipv6.")
	}
	// Clients are on the local cloud's host, whose address no VPC can answer.
	if err := unsupported(map[string]bool{"preserveClientIp": aws.ToBool(in.PreserveClientIp)}); err != nil {
		return nil, err
	}
	tags, err := tagsOfSpecifications(in.TagSpecifications, types.ResourceTypeInstanceConnectEndpoint)
	if err != nil {
		return nil, err
	}
	var item types.Ec2InstanceConnectEndpoint
	err = a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		q := tokenRequest{operation: "CreateInstanceConnectEndpoint", token: in.ClientToken, input: in}
		row, err := connectEndpoints.createOnce(a, tx, region, q, func() (*store.InstanceConnectEndpoint, error) {
			return a.newConnectEndpoint(tx, region, in, tags[types.ResourceTypeInstanceConnectEndpoint])
		})
		if err != nil {
			return err
		}
		item = connectEndpointItem(tx, row, a.Now())
		return nil
	})
	if err != nil {
		return nil, err
	}
	item.State = types.Ec2InstanceConnectEndpointStateCreateInProgress
	return &ec2.CreateInstanceConnectEndpointOutput{InstanceConnectEndpoint: &item, ClientToken: in.ClientToken}, nil
}

func (a *API) newConnectEndpoint(
	tx *store.Tx, region identity.Region, in *ec2.CreateInstanceConnectEndpointInput, tags store.Tags,
) (connectEndpoint, error) {
	subnet, err := subnets.get(tx, region, *in.SubnetId)
	if err != nil {
		return nil, err
	}
	groups, err := securityGroupIDs(tx, region, subnet, in.SecurityGroupIds, nil)
	if err != nil {
		return nil, err
	}
	if err := a.limitInterfaceGroups(groups); err != nil {
		return nil, err
	}
	if err := a.limitConnectEndpoints(tx, subnet); err != nil {
		return nil, err
	}
	row := &store.InstanceConnectEndpoint{
		ID: a.ids.ID(connectEndpoints.prefix), Region: region, VPCID: subnet.VPCID, SubnetID: subnet.ID,
		Zone: subnet.Zone, GroupIDs: groups, CreatedAt: a.Now().UTC(), Tags: tags,
	}
	row.DNSName = row.ID + "." + a.ids.Hex(8) + ".ec2-instance-connect-endpoint." + region.Name() + "." + connectDomain
	row.ReadyAt = a.Manners.Until(row.CreatedAt, manners.CreateEndpoint, row.ID)
	eni, err := addressing.NewInterface(tx, a.ids, addressing.InterfaceSpec{
		Subnet: subnet, GroupIDs: groups, ConnectEndpoint: true, AttachedAt: row.CreatedAt,
		Description: "EC2 Instance Connect Endpoint - " + row.ID,
	})
	if err != nil {
		return nil, addressError(err, subnet)
	}
	row.InterfaceID = eni.ID
	store.InstanceConnectEndpoints.Put(tx, row)
	return row, nil
}

// limitConnectEndpoints returns the error for one more endpoint in a subnet, or nil. Endpoints
// that are being deleted count.
func (a *API) limitConnectEndpoints(r store.Reader, subnet *store.Subnet) error {
	inVPC, inSubnet := store.InstanceConnectEndpointsByVPC.List(r, subnet.VPCID), 0
	for _, row := range inVPC {
		if row.SubnetID == subnet.ID {
			inSubnet++
		}
	}
	for _, limit := range []struct {
		quota quota.Quota
		count int
		where string
	}{
		{quota.ConnectEndpointsPerSubnet, inSubnet, "this subnet"},
		{quota.ConnectEndpointsPerVPC, len(inVPC), "this VPC"},
		{quota.ConnectEndpoints, len(store.InstanceConnectEndpoints.InRegion(r, subnet.Region)), "this account"},
	} {
		if !a.allows(limit.quota, limit.count+1) {
			return wire.Errorf("ResourceLimitExceeded", "You've reached the quota for the maximum number of Instance "+
				"Connect Endpoints for %s. Delete unused Instance Connect Endpoints, or request a quota increase.",
				limit.where)
		}
	}
	return nil
}

func connectEndpointItem(r store.Reader, row connectEndpoint, at time.Time) types.Ec2InstanceConnectEndpoint {
	item := types.Ec2InstanceConnectEndpoint{
		OwnerId:                    aws.String(row.Region.Account()),
		InstanceConnectEndpointId:  aws.String(row.ID),
		InstanceConnectEndpointArn: aws.String(resourceARN(row.Region, "instance-connect-endpoint", row.ID)),
		State:                      types.Ec2InstanceConnectEndpointState(connectEndpointState(row, at)),
		StateMessage:               aws.String(""),
		DnsName:                    aws.String(row.DNSName),
		NetworkInterfaceIds:        []string{row.InterfaceID},
		VpcId:                      aws.String(row.VPCID),
		AvailabilityZone:           aws.String(row.Zone),
		CreatedAt:                  aws.Time(row.CreatedAt),
		SubnetId:                   aws.String(row.SubnetID),
		PreserveClientIp:           aws.Bool(false),
		SecurityGroupIds:           row.GroupIDs,
		IpAddressType:              types.IpAddressTypeIpv4,
		Tags:                       tagSet(row.Tags),
	}
	if subnet, ok := store.Subnets.Get(r, row.SubnetID); ok {
		item.AvailabilityZoneId = aws.String(subnet.ZoneID)
	}
	return item
}

// DescribeInstanceConnectEndpoints lists EC2 Instance Connect Endpoints.
func (a *API) DescribeInstanceConnectEndpoints(
	ctx context.Context, in *ec2.DescribeInstanceConnectEndpointsInput,
) (*ec2.DescribeInstanceConnectEndpointsOutput, error) {
	view, region, err := a.read(ctx, in.DryRun)
	if err != nil {
		return nil, err
	}
	now := a.Now()
	kind := connectEndpoints
	kind.filters = connectEndpointFilters(now)
	rows, next, err := kind.describe(view, region, describeQuery{
		ids: in.InstanceConnectEndpointIds, idParameter: "instanceConnectEndpointIds", filters: in.Filters,
		page: pageRequest{in.MaxResults, in.NextToken},
	})
	if err != nil {
		return nil, err
	}
	item := func(row connectEndpoint) types.Ec2InstanceConnectEndpoint { return connectEndpointItem(view, row, now) }
	return &ec2.DescribeInstanceConnectEndpointsOutput{
		InstanceConnectEndpoints: list(rows, item), NextToken: next,
	}, nil
}

// DeleteInstanceConnectEndpoint deletes an EC2 Instance Connect Endpoint. Its tunnels end.
func (a *API) DeleteInstanceConnectEndpoint(
	ctx context.Context, in *ec2.DeleteInstanceConnectEndpointInput,
) (*ec2.DeleteInstanceConnectEndpointOutput, error) {
	if err := required(parameter{"instanceConnectEndpointId", in.InstanceConnectEndpointId}); err != nil {
		return nil, err
	}
	var item types.Ec2InstanceConnectEndpoint
	err := a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		row, err := connectEndpoints.get(tx, region, *in.InstanceConnectEndpointId)
		if err != nil {
			return err
		}
		deleted := *row
		if !deleted.Deleting {
			deleted.Deleting = true
			deleted.GoneAt = a.Manners.Until(a.Now(), manners.DeleteEndpoint, row.ID)
		}
		item = connectEndpointItem(tx, &deleted, a.Now())
		if deleted.GoneAt.IsZero() {
			store.InstanceConnectEndpoints.Delete(tx, row.ID)
			store.NetworkInterfaces.Delete(tx, row.InterfaceID)
			return nil
		}
		store.InstanceConnectEndpoints.Put(tx, &deleted)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ec2.DeleteInstanceConnectEndpointOutput{InstanceConnectEndpoint: &item}, nil
}
