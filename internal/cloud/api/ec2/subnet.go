package ec2

import (
	"context"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/addressing"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

var subnets = resourceType[store.Subnet]{
	table: store.Subnets, kind: types.ResourceTypeSubnet, prefix: "subnet-",
	notFoundCode: "InvalidSubnetID.NotFound", notFoundText: "The subnet ID",
	key:  func(row *store.Subnet) (identity.Region, string) { return row.Region, row.ID },
	tags: func(row *store.Subnet) *store.Tags { return &row.Tags },
	at:   subnetAt,
	filters: withTagFilters(func(row *store.Subnet) store.Tags { return row.Tags }, filters[*store.Subnet]{
		"subnet-id":               field(func(row *store.Subnet) string { return row.ID }),
		"subnet-arn":              field(subnetARN),
		"vpc-id":                  field(func(row *store.Subnet) string { return row.VPCID }),
		"cidr":                    optionalField(subnetCIDR),
		"cidr-block":              optionalField(subnetCIDR),
		"cidrBlock":               optionalField(subnetCIDR),
		"availability-zone":       field(func(row *store.Subnet) string { return row.Zone }),
		"availabilityZone":        field(func(row *store.Subnet) string { return row.Zone }),
		"availability-zone-id":    field(func(row *store.Subnet) string { return row.ZoneID }),
		"availabilityZoneId":      field(func(row *store.Subnet) string { return row.ZoneID }),
		"default-for-az":          booleanField(func(row *store.Subnet) bool { return row.DefaultForAZ }),
		"defaultForAz":            booleanField(func(row *store.Subnet) bool { return row.DefaultForAZ }),
		"map-public-ip-on-launch": booleanField(func(row *store.Subnet) bool { return row.MapPublicIPOnLaunch }),
		"available-ip-address-count": func(r store.Reader, row *store.Subnet) []string {
			return []string{strconv.Itoa(addressing.CountFree(r, row))}
		},
		"ipv6-cidr-block-association.association-id": ifSubnetIPv6(
			func(c types.SubnetIpv6CidrBlockAssociation) string { return *c.AssociationId },
		),
		"ipv6-cidr-block-association.ipv6-cidr-block": ifSubnetIPv6(
			func(c types.SubnetIpv6CidrBlockAssociation) string { return *c.Ipv6CidrBlock },
		),
		"ipv6-cidr-block-association.state": ifSubnetIPv6(
			func(c types.SubnetIpv6CidrBlockAssociation) string { return string(c.Ipv6CidrBlockState.State) },
		),
		"ipv6-native":                     booleanField((*store.Subnet).IPv6Only),
		"enable-lni-at-device-index":      noValue[*store.Subnet],
		"enable-dns64":                    booleanField(func(row *store.Subnet) bool { return row.DNS64 }),
		"customer-owned-ipv4-pool":        noValue[*store.Subnet],
		"map-customer-owned-ip-on-launch": constant[*store.Subnet]("false"),
		"outpost-arn":                     noValue[*store.Subnet],
		"owner-id":                        field(subnetOwner),
		"state":                           field(func(row *store.Subnet) string { return row.State }),
		"private-dns-name-options-on-launch.hostname-type": field(
			func(row *store.Subnet) string { return row.HostnameType },
		),
		"private-dns-name-options-on-launch.enable-resource-name-dns-a-record": booleanField(
			func(row *store.Subnet) bool { return row.ResourceNameDNSA },
		),
		"private-dns-name-options-on-launch.enable-resource-name-dns-aaaa-record": booleanField(
			func(row *store.Subnet) bool { return row.ResourceNameDNSAAAA },
		),
	}),
}

func subnetARN(row *store.Subnet) string { return resourceARN(row.Region, "subnet", row.ID) }

// subnetCIDR returns the block of IPv4 addresses of a subnet, "" if it has none.
func subnetCIDR(row *store.Subnet) string {
	if row.IPv6Only() {
		return ""
	}
	return row.CIDR.String()
}

// CreateSubnet creates a subnet in the requested zone or, without one, in the zone
// with the fewest subnets of the VPC.
func (a *API) CreateSubnet(ctx context.Context, in *ec2.CreateSubnetInput) (*ec2.CreateSubnetOutput, error) {
	if err := checkNewSubnet(in); err != nil {
		return nil, err
	}
	var block netip.Prefix
	var err error
	if in.CidrBlock != nil {
		if block, err = parseCIDR("cidrBlock", *in.CidrBlock); err != nil {
			return nil, err
		}
	}
	tags, err := tagsOfSpecifications(in.TagSpecifications, types.ResourceTypeSubnet)
	if err != nil {
		return nil, err
	}
	subnet := &store.Subnet{CIDR: block, VPCID: *in.VpcId, Tags: tags[types.ResourceTypeSubnet]}
	var item types.Subnet
	if err := a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		vpc, err := vpcs.get(tx, region, *in.VpcId)
		if err != nil {
			return err
		}
		siblings := store.SubnetsByVPC.List(tx, vpc.ID)
		if in.CidrBlock != nil {
			if err := checkSubnetCIDR(vpc, siblings, block, *in.CidrBlock); err != nil {
				return err
			}
		}
		if err := a.limitSubnets(siblings); err != nil {
			return err
		}
		z, err := a.chooseZone(region, in, siblings)
		if err != nil {
			return err
		}
		subnet.Region, subnet.Zone, subnet.ZoneID = region, z.name, z.id
		if in.Ipv6CidrBlock != nil {
			if subnet.IPv6, err = a.newSubnetIPv6(tx, vpc, *in.Ipv6CidrBlock); err != nil {
				return err
			}
		}
		a.newSubnet(tx, subnet)
		item = subnetItem(tx)(subnet)
		return nil
	}); err != nil {
		return nil, err
	}
	item.State = types.SubnetStatePending
	item.Ipv6CidrBlockAssociationSet = subnetIPv6Items(subnet.IPv6, types.SubnetCidrBlockStateCodeAssociating)
	return &ec2.CreateSubnetOutput{Subnet: &item}, nil
}

func checkNewSubnet(in *ec2.CreateSubnetInput) error {
	if err := required(parameter{"vpcId", in.VpcId}); err != nil {
		return err
	}
	if aws.ToBool(in.Ipv6Native) {
		switch {
		case in.Ipv6CidrBlock == nil && in.Ipv6IpamPoolId == nil:
			return wire.Errorf("MissingParameter", "Either 'ipv6CidrBlock' or 'ipv6IpamPoolId' should be provided.")
		case in.CidrBlock != nil || in.Ipv4IpamPoolId != nil:
			return wire.Errorf(
				"InvalidParameterCombination",
				"When specifying ipv4 parameters, cidrBlock or ipv4IpamPoolId, you cannot set ipv6Native to true.",
			)
		}
	}
	if err := unsupported(map[string]bool{
		"ipv6IpamPoolId":    in.Ipv6IpamPoolId != nil,
		"ipv6NetmaskLength": in.Ipv6NetmaskLength != nil,
		"ipv4IpamPoolId":    in.Ipv4IpamPoolId != nil,
		"ipv4NetmaskLength": in.Ipv4NetmaskLength != nil,
		"outpostArn":        in.OutpostArn != nil,
	}); err != nil {
		return err
	}
	if aws.ToBool(in.Ipv6Native) {
		return nil
	}
	return required(parameter{"cidrBlock", in.CidrBlock})
}

func (a *API) chooseZone(region identity.Region, in *ec2.CreateSubnetInput, siblings []*store.Subnet) (zone, error) {
	name, id := aws.ToString(in.AvailabilityZone), aws.ToString(in.AvailabilityZoneId)
	zones := a.zones(region)
	if name == "" && id == "" {
		used := func(z zone) (n int) {
			for _, sibling := range siblings {
				if sibling.Zone == z.name {
					n++
				}
			}
			return n
		}
		return slices.MinFunc(zones, func(a, b zone) int { return used(a) - used(b) }), nil
	}
	if i := slices.IndexFunc(
		zones, func(z zone) bool { return (name == "" || z.name == name) && (id == "" || z.id == id) },
	); i >= 0 {
		return zones[i], nil
	}
	var names []string
	for _, z := range zones {
		names = append(names, z.name)
	}
	parameter, value := "availabilityZone", name
	if name == "" {
		parameter, value = "availabilityZoneId", id
	}
	return zone{}, invalidValue(
		parameter,
		value,
		"Subnets can currently only be created in the following availability zones: "+strings.Join(names, ", ")+".",
	)
}

// DescribeSubnets lists subnets.
func (a *API) DescribeSubnets(ctx context.Context, in *ec2.DescribeSubnetsInput) (*ec2.DescribeSubnetsOutput, error) {
	view, region, err := a.read(ctx, in.DryRun)
	if err != nil {
		return nil, err
	}
	rows, next, err := subnets.describe(view, region, describeQuery{
		ids:         in.SubnetIds,
		idParameter: "subnetIds",
		filters:     in.Filters,
		page:        pageRequest{in.MaxResults, in.NextToken},
		at:          a.Now(),
	})
	if err != nil {
		return nil, err
	}
	return &ec2.DescribeSubnetsOutput{Subnets: list(rows, subnetItem(view)), NextToken: next}, nil
}

func subnetOwner(row *store.Subnet) string { return row.Region.Account() }

func subnetItem(r store.Reader) func(*store.Subnet) types.Subnet {
	return func(row *store.Subnet) types.Subnet {
		return types.Subnet{
			SubnetId:                    aws.String(row.ID),
			SubnetArn:                   aws.String(subnetARN(row)),
			OwnerId:                     aws.String(row.Region.Account()),
			VpcId:                       aws.String(row.VPCID),
			CidrBlock:                   optionalString(subnetCIDR(row)),
			State:                       types.SubnetState(row.State),
			AvailabilityZone:            aws.String(row.Zone),
			AvailabilityZoneId:          aws.String(row.ZoneID),
			AvailableIpAddressCount:     aws.Int32(int32(addressing.CountFree(r, row))),
			DefaultForAz:                aws.Bool(row.DefaultForAZ),
			MapPublicIpOnLaunch:         aws.Bool(row.MapPublicIPOnLaunch),
			MapCustomerOwnedIpOnLaunch:  aws.Bool(false),
			AssignIpv6AddressOnCreation: aws.Bool(row.AssignIPv6),
			EnableDns64:                 aws.Bool(row.DNS64),
			Ipv6Native:                  aws.Bool(row.IPv6Only()),
			Ipv6CidrBlockAssociationSet: describedIPv6(row),
			PrivateDnsNameOptionsOnLaunch: &types.PrivateDnsNameOptionsOnLaunch{
				HostnameType:                    types.HostnameType(row.HostnameType),
				EnableResourceNameDnsARecord:    aws.Bool(row.ResourceNameDNSA),
				EnableResourceNameDnsAAAARecord: aws.Bool(row.ResourceNameDNSAAAA),
			},
			Tags: tagSet(row.Tags),
		}
	}
}

// DeleteSubnet deletes a subnet without network interfaces, and its associations.
func (a *API) DeleteSubnet(ctx context.Context, in *ec2.DeleteSubnetInput) (*ec2.DeleteSubnetOutput, error) {
	if err := required(parameter{"subnetId", in.SubnetId}); err != nil {
		return nil, err
	}
	return &ec2.DeleteSubnetOutput{}, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		subnet, err := subnets.get(tx, region, *in.SubnetId)
		if err != nil {
			return err
		}
		if len(store.NetworkInterfacesInSubnet(tx, subnet.ID)) > 0 {
			return dependencyViolation("subnet", subnet.ID)
		}
		if table, existing, ok := subnetAssociation(tx, subnet); ok {
			removeAssociation(tx, table.ID, existing.ID)
		}
		disassociateACL(tx, subnet)
		for _, block := range subnet.Blocks() {
			forgetReservations(tx, subnet.ID, block)
		}
		store.Subnets.Delete(tx, subnet.ID)
		return nil
	})
}

// newSubnet stores a subnet and associates it with its VPC's default network ACL.
func (a *API) newSubnet(tx *store.Tx, subnet *store.Subnet) {
	subnet.ID, subnet.State, subnet.HostnameType = a.ids.ID("subnet-"), string(types.SubnetStateAvailable),
		string(types.HostnameTypeIpName)
	if subnet.IPv6Only() {
		subnet.AssignIPv6, subnet.HostnameType = true, string(types.HostnameTypeResourceName)
	}
	if !subnet.DefaultForAZ {
		subnet.AvailableAt = a.Manners.Until(a.Now(), manners.CreateSubnet, subnet.ID)
	}
	store.Subnets.Put(tx, subnet)
	for _, acl := range store.NetworkACLsByVPC.List(tx, subnet.VPCID) {
		if acl.IsDefault {
			a.associateACL(tx, acl.ID, subnet.ID)
		}
	}
}
