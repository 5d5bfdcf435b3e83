package ec2

import (
	"context"
	"net/netip"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/addressing"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// amazonPool is the name of the pool of Amazon's own public addresses.
const amazonPool = "amazon"

var elasticIPs = resourceType[store.ElasticIP]{
	table: store.ElasticIPs, kind: types.ResourceTypeElasticIp, prefix: "eipalloc-",
	notFoundCode: "InvalidAllocationID.NotFound", notFoundText: "The allocation ID",
	malformedCode: "InvalidElasticIpID.Malformed",
	key:           func(row *store.ElasticIP) (identity.Region, string) { return row.Region, row.ID },
	tags:          func(row *store.ElasticIP) *store.Tags { return &row.Tags },
	filters: withTagFilters(func(row *store.ElasticIP) store.Tags { return row.Tags }, filters[*store.ElasticIP]{
		"allocation-id":        field(func(row *store.ElasticIP) string { return row.ID }),
		"association-id":       optionalField(func(row *store.ElasticIP) string { return row.AssociationID }),
		"domain":               constant[*store.ElasticIP](string(types.DomainTypeVpc)),
		"network-border-group": field(func(row *store.ElasticIP) string { return row.Region.Name() }),
		"network-interface-id": optionalField(func(row *store.ElasticIP) string { return row.InterfaceID }),
		"public-ip":            field(func(row *store.ElasticIP) string { return row.PublicIP.String() }),
		"instance-id":          byMappedInterface(func(_ *store.ElasticIP, row nic) string { return row.InstanceID }),
		"private-ip-address": byMappedInterface(func(address *store.ElasticIP, row nic) string {
			return addressing.MappedTo(address, row).String()
		}),
		"network-interface-owner-id": byMappedInterface(
			func(_ *store.ElasticIP, row nic) string { return row.Region.Account() },
		),
	}),
}

// byMappedInterface returns a filter by a property of the network interface with which
// an Elastic IP address is associated.
func byMappedInterface(
	text func(*store.ElasticIP, nic) string,
) func(store.Reader, *store.ElasticIP) []string {
	return func(r store.Reader, row *store.ElasticIP) []string {
		if eni, ok := store.NetworkInterfaces.Get(r, row.InterfaceID); ok && text(row, eni) != "" {
			return []string{text(row, eni)}
		}
		return nil
	}
}

// AllocateAddress allocates an Elastic IP address of Amazon's pool.
func (a *API) AllocateAddress(ctx context.Context, in *ec2.AllocateAddressInput) (*ec2.AllocateAddressOutput, error) {
	if err := supportOnly(
		in, "DryRun", "Domain", "NetworkBorderGroup", "PublicIpv4Pool="+amazonPool, "TagSpecifications",
	); err != nil {
		return nil, err
	}
	if in.Domain != "" && in.Domain != types.DomainTypeVpc {
		return nil, invalidValue("domain", string(in.Domain), "Elastic IP addresses are for use in a VPC.")
	}
	region := wire.RegionFrom(ctx)
	if err := checkBorderGroup(region, in.NetworkBorderGroup); err != nil {
		return nil, err
	}
	tags, err := tagsOfSpecifications(in.TagSpecifications, types.ResourceTypeElasticIp)
	if err != nil {
		return nil, err
	}
	row := &store.ElasticIP{ID: a.ids.ID("eipalloc-"), Region: region, Tags: tags[types.ResourceTypeElasticIp]}
	if err := a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		if err := a.limitElasticIPs(tx, region); err != nil {
			return err
		}
		var err error
		if row.PublicIP, err = addressing.FreePublic(tx, a.ids, a.PublicRange); err != nil {
			return wire.Errorf("InsufficientAddressCapacity", "There are no free public addresses.")
		}
		store.ElasticIPs.Put(tx, row)
		return nil
	}); err != nil {
		return nil, err
	}
	return &ec2.AllocateAddressOutput{
		AllocationId: aws.String(row.ID), PublicIp: aws.String(row.PublicIP.String()), Domain: types.DomainTypeVpc,
		NetworkBorderGroup: aws.String(region.Name()), PublicIpv4Pool: aws.String(amazonPool),
	}, nil
}

// ReleaseAddress releases an Elastic IP address that is not associated.
func (a *API) ReleaseAddress(ctx context.Context, in *ec2.ReleaseAddressInput) (*ec2.ReleaseAddressOutput, error) {
	allocation, public := aws.ToString(in.AllocationId), aws.ToString(in.PublicIp)
	switch {
	case allocation != "" && public != "":
		return nil, errBothAddresses()
	case public != "":
		return nil, wire.Errorf(
			"InvalidParameterValue", "You must specify an allocation id when releasing a VPC elastic IP address",
		)
	case allocation == "":
		return nil, missingParameter("AllocationId")
	}
	return &ec2.ReleaseAddressOutput{}, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		row, err := elasticIPs.get(tx, region, allocation)
		if err != nil {
			return err
		}
		if group := aws.ToString(in.NetworkBorderGroup); group != "" && group != row.Region.Name() {
			return invalidValue("networkBorderGroup", group, "The address is not from this network border group.")
		}
		if err := checkNotManaged(tx, row.InterfaceID); err != nil {
			return err
		}
		if row.AssociationID != "" {
			return wire.Errorf("InvalidIPAddress.InUse", "Address %s is in use.", row.PublicIP)
		}
		if err := checkUnlocked(row); err != nil {
			return err
		}
		store.ElasticIPs.Delete(tx, row.ID)
		return nil
	})
}

func errBothAddresses() error {
	return wire.Errorf(
		"InvalidParameterCombination", "You may specify public IP or allocation id, but not both in the same call",
	)
}

// checkNotManaged refuses a network interface of a service, such as that of a NAT
// gateway.
func checkNotManaged(r store.Reader, interfaceID string) error {
	if eni, ok := store.NetworkInterfaces.Get(r, interfaceID); ok && eni.RequesterManaged {
		return wire.Errorf("AuthFailure", "You do not have permission to access the specified resource.")
	}
	return nil
}

// DescribeAddresses lists Elastic IP addresses.
func (a *API) DescribeAddresses(
	ctx context.Context, in *ec2.DescribeAddressesInput,
) (*ec2.DescribeAddressesOutput, error) {
	view, region, err := a.read(ctx, in.DryRun)
	if err != nil {
		return nil, err
	}
	if err := elasticIPs.filters.check(in.Filters); err != nil {
		return nil, err
	}
	rows, err := elasticIPs.find(view, region, in.AllocationIds)
	if err != nil {
		return nil, err
	}
	for _, public := range in.PublicIps {
		if _, err := elasticIPByAddress(view, region, public); err != nil {
			return nil, err
		}
	}
	out := &ec2.DescribeAddressesOutput{Addresses: []types.Address{}}
	for _, row := range rows {
		named := len(in.PublicIps) == 0 || slices.Contains(in.PublicIps, row.PublicIP.String())
		if named && elasticIPs.filters.match(view, row, row.Tags, in.Filters) {
			out.Addresses = append(out.Addresses, elasticIPItem(view, row))
		}
	}
	return out, nil
}

// elasticIPByAddress returns the region's Elastic IP address with a text like
// "198.18.1.7".
func elasticIPByAddress(r store.Reader, region identity.Region, text string) (*store.ElasticIP, error) {
	public, err := netip.ParseAddr(text)
	if err != nil || !public.Is4() {
		return nil, wire.Errorf("InvalidParameterValue", "Invalid value '%s' for PublicIp. Invalid IPv4 address.", text)
	}
	for _, row := range store.ElasticIPs.InRegion(r, region) {
		if row.PublicIP == public {
			return row, nil
		}
	}
	return nil, wire.Errorf("InvalidAddress.NotFound", "Address '%s' not found.", text)
}

func elasticIPItem(r store.Reader, row *store.ElasticIP) types.Address {
	item := types.Address{
		AllocationId: aws.String(row.ID), PublicIp: aws.String(row.PublicIP.String()), Domain: types.DomainTypeVpc,
		NetworkBorderGroup: aws.String(row.Region.Name()), PublicIpv4Pool: aws.String(amazonPool),
		Tags: tagSet(row.Tags),
	}
	eni, ok := store.NetworkInterfaces.Get(r, row.InterfaceID)
	if !ok {
		return item
	}
	item.AssociationId, item.NetworkInterfaceId = aws.String(row.AssociationID), aws.String(eni.ID)
	item.NetworkInterfaceOwnerId, item.SubnetId = aws.String(row.Region.Account()), aws.String(eni.SubnetID)
	item.PrivateIpAddress = aws.String(addressing.MappedTo(row, eni).String())
	item.InstanceId = optionalString(eni.InstanceID)
	return item
}
