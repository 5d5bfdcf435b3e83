package ec2

import (
	"context"
	"net/netip"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/cloud/quota"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

var natGateways = resourceType[store.NatGateway]{
	table: store.NatGateways, kind: types.ResourceTypeNatgateway, prefix: "nat-",
	notFoundCode: "NatGatewayNotFound", notFoundMessage: "NatGateway %s was not found",
	malformedCode: "NatGatewayMalformed",
	key:           func(row *store.NatGateway) (identity.Region, string) { return row.Region, row.ID },
	tags:          func(row *store.NatGateway) *store.Tags { return &row.Tags },
	filters: withTagFilters(func(row *store.NatGateway) store.Tags { return row.Tags }, filters[*store.NatGateway]{
		"nat-gateway-id": field(func(row *store.NatGateway) string { return row.ID }),
		"state":          field(func(row *store.NatGateway) string { return row.State }),
		"subnet-id":      field(func(row *store.NatGateway) string { return row.SubnetID }),
		"vpc-id":         field(func(row *store.NatGateway) string { return row.VPCID }),
	}),
}

// CreateNatGateway creates a NAT gateway in one zone. Whether its Elastic IP address and
// its network can be used shows afterwards, as its state.
func (a *API) CreateNatGateway(
	ctx context.Context, in *ec2.CreateNatGatewayInput,
) (*ec2.CreateNatGatewayOutput, error) {
	row, err := checkCreateNatGateway(in)
	if err != nil {
		return nil, err
	}
	out := &ec2.CreateNatGatewayOutput{ClientToken: in.ClientToken}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		q := tokenRequest{operation: "CreateNatGateway", token: in.ClientToken, input: in}
		created, err := natGateways.createOnce(a, tx, region, q, func() (*store.NatGateway, error) {
			return row, a.createNatGateway(tx, region, row, *in.SubnetId)
		})
		if err != nil {
			return err
		}
		item := natGatewayItem(created)
		out.NatGateway = &item
		return nil
	})
}

// checkCreateNatGateway refuses requests that are invalid whatever the account contains.
// It returns the row that they ask for.
func checkCreateNatGateway(in *ec2.CreateNatGatewayInput) (*store.NatGateway, error) {
	if err := supportOnly(
		in, "DryRun", "AllocationId", "ClientToken", "ConnectivityType", "PrivateIpAddress", "SubnetId",
		"TagSpecifications", "AvailabilityMode=zonal", "SecondaryAllocationIds", "SecondaryPrivateIpAddresses",
		"SecondaryPrivateIpAddressCount",
	); err != nil {
		return nil, err
	}
	if err := required(parameter{"subnetId", in.SubnetId}); err != nil {
		return nil, err
	}
	if err := checkEnum("connectivityType", in.ConnectivityType); err != nil {
		return nil, err
	}
	tags, err := tagsOfSpecifications(in.TagSpecifications, types.ResourceTypeNatgateway)
	if err != nil {
		return nil, err
	}
	row := &store.NatGateway{
		Connectivity: string(types.ConnectivityTypePublic), AllocationID: aws.ToString(in.AllocationId),
		State: store.NatPending, Tags: tags[types.ResourceTypeNatgateway],
	}
	if in.ConnectivityType != "" {
		row.Connectivity = string(in.ConnectivityType)
	}
	isPublic := row.Connectivity == string(types.ConnectivityTypePublic)
	switch {
	case isPublic && row.AllocationID == "":
		return nil, missingParameter("AllocationId")
	case !isPublic && row.AllocationID != "":
		return nil, wire.Errorf(
			"InvalidParameterCombination", "A NAT gateway with private connectivity cannot have an allocation ID.",
		)
	}
	if private := aws.ToString(in.PrivateIpAddress); private != "" {
		if row.RequestedIP, err = netip.ParseAddr(private); err != nil || !row.RequestedIP.Is4() {
			return nil, invalidValue("privateIpAddress", private, "It is not an IPv4 address.")
		}
	}
	if err := distinct("allocationId", append(
		[]string{row.AllocationID}, in.SecondaryAllocationIds...,
	)); err != nil {
		return nil, err
	}
	row.Secondary, err = secondaryRequest{
		isPublic, in.SecondaryAllocationIds, in.SecondaryPrivateIpAddresses, in.SecondaryPrivateIpAddressCount,
	}.rows()
	return row, err
}

// createNatGateway adds the row of a NAT gateway that a request asks for. It sets the
// id of row.
func (a *API) createNatGateway(tx *store.Tx, region identity.Region, row *store.NatGateway, subnetID string) error {
	subnet, err := subnets.get(tx, region, subnetID)
	if err != nil {
		return err
	}
	if subnet.IPv6Only() {
		return errNoIPv4(subnet.ID)
	}
	if row.AllocationID != "" {
		if err := checkElasticIPOfGateway(tx, region, row.AllocationID); err != nil {
			return err
		}
	}
	if row.RequestedIP.IsValid() {
		if err := checkNatAddress(tx, subnet, "privateIpAddress", row.RequestedIP); err != nil {
			return err
		}
	}
	if err := checkNatAddresses(tx, region, subnet, row.Secondary); err != nil {
		return err
	}
	if err := a.limitNatGateways(tx, subnet); err != nil {
		return err
	}
	row.ID, row.Region, row.VPCID, row.SubnetID = a.ids.ID("nat-"), region, subnet.VPCID, subnet.ID
	row.CreatedAt, row.SettledAt = a.Now().UTC(), a.Manners.Until(a.Now(), manners.CreateNatGateway, row.ID)
	store.NatGateways.Put(tx, row)
	return nil
}

// checkElasticIPOfGateway refuses an unknown Elastic IP address with the error of
// CreateNatGateway, which is not that of other operations.
func checkElasticIPOfGateway(r store.Reader, region identity.Region, id string) error {
	if err := elasticIPs.checkID(id); err != nil {
		return err
	}
	if row, ok := store.ElasticIPs.Get(r, id); !ok || row.Region != region {
		return wire.Errorf("InvalidElasticIpID.NotFound", "The elastic IP ID '%s' does not exist", id)
	}
	return nil
}

// limitNatGateways refuses one more NAT gateway in the zone of a subnet.
func (a *API) limitNatGateways(r store.Reader, subnet *store.Subnet) error {
	count := 1
	for _, row := range store.NatGateways.InRegion(r, subnet.Region) {
		other, ok := store.Subnets.Get(r, row.SubnetID)
		if ok && other.Zone == subnet.Zone && (row.State == store.NatPending || row.State == store.NatAvailable) {
			count++
		}
	}
	return a.limit(quota.NatGateways, count, "NatGatewayLimitExceeded", "NAT gateways in "+subnet.Zone)
}

// DescribeNatGateways lists NAT gateways, for an hour also those that were deleted or
// failed.
func (a *API) DescribeNatGateways(
	ctx context.Context, in *ec2.DescribeNatGatewaysInput,
) (*ec2.DescribeNatGatewaysOutput, error) {
	view, region, err := a.read(ctx, in.DryRun)
	if err != nil {
		return nil, err
	}
	rows, next, err := natGateways.describe(view, region, describeQuery{
		ids: in.NatGatewayIds, idParameter: "natGatewayIds", filters: in.Filter,
		page: pageRequest{in.MaxResults, in.NextToken},
	})
	if err != nil {
		return nil, err
	}
	return &ec2.DescribeNatGatewaysOutput{NatGateways: list(rows, natGatewayItem), NextToken: next}, nil
}

func natGatewayItem(row *store.NatGateway) types.NatGateway {
	address := types.NatGatewayAddress{
		AllocationId: optionalString(row.AllocationID), AssociationId: optionalString(row.AssociationID),
		NetworkInterfaceId: optionalString(row.InterfaceID), IsPrimary: aws.Bool(true),
		Status: natAddressStatus(row.State),
	}
	if row.PrivateIP.IsValid() {
		address.PrivateIp = aws.String(row.PrivateIP.String())
	}
	if row.PublicIP.IsValid() {
		address.PublicIp = aws.String(row.PublicIP.String())
	}
	secondary := natAddressItems(row.InterfaceID, row.Secondary)
	for n := range secondary {
		if row.State == store.NatDeleting || row.State == store.NatFailed {
			secondary[n].Status = natAddressStatus(row.State)
		}
	}
	item := types.NatGateway{
		NatGatewayId: aws.String(row.ID), VpcId: aws.String(row.VPCID), SubnetId: aws.String(row.SubnetID),
		State: types.NatGatewayState(row.State), ConnectivityType: types.ConnectivityType(row.Connectivity),
		AvailabilityMode: types.AvailabilityModeZonal, CreateTime: aws.Time(row.CreatedAt),
		FailureCode: optionalString(row.FailureCode), FailureMessage: optionalString(row.FailureMessage),
		NatGatewayAddresses: append([]types.NatGatewayAddress{address}, secondary...), Tags: tagSet(row.Tags),
	}
	if !row.DeletedAt.IsZero() {
		item.DeleteTime = aws.Time(row.DeletedAt)
	}
	return item
}

// natAddressStatus returns the status of the address of a NAT gateway in a state.
func natAddressStatus(state string) types.NatGatewayAddressStatus {
	switch state {
	case store.NatPending:
		return types.NatGatewayAddressStatusAssociating
	case store.NatDeleting:
		return types.NatGatewayAddressStatusDisassociating
	case store.NatFailed:
		return types.NatGatewayAddressStatusFailed
	}
	return types.NatGatewayAddressStatusSucceeded
}

// DeleteNatGateway deletes a NAT gateway. Its Elastic IP address remains the account's,
// and routes to it discard packets from now on.
func (a *API) DeleteNatGateway(
	ctx context.Context, in *ec2.DeleteNatGatewayInput,
) (*ec2.DeleteNatGatewayOutput, error) {
	if err := required(parameter{"natGatewayId", in.NatGatewayId}); err != nil {
		return nil, err
	}
	out := &ec2.DeleteNatGatewayOutput{NatGatewayId: in.NatGatewayId}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		row, err := natGateways.get(tx, region, *in.NatGatewayId)
		if err != nil {
			return err
		}
		if row.State == store.NatDeleting || row.State == store.NatDeleted {
			return nil // EC2 accepts a repeated request
		}
		store.NatGateways.Edit(tx, row.ID, func(row *store.NatGateway) {
			row.State = store.NatDeleting
			row.SettledAt = a.Manners.Until(a.Now(), manners.DeleteNatGateway, row.ID)
		})
		return nil
	})
}
