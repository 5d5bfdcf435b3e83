package ec2

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

var vpcs = resourceType[store.VPC]{
	table: store.VPCs, kind: types.ResourceTypeVpc, prefix: "vpc-",
	notFoundCode: "InvalidVpcID.NotFound", notFoundText: "The vpc ID",
	key:  func(row *store.VPC) (identity.Region, string) { return row.Region, row.ID },
	tags: func(row *store.VPC) *store.Tags { return &row.Tags },
	at:   vpcAt,
	filters: withTagFilters(func(row *store.VPC) store.Tags { return row.Tags }, filters[*store.VPC]{
		"vpc-id":                                field(func(row *store.VPC) string { return row.ID }),
		"cidr":                                  field(func(row *store.VPC) string { return row.CIDR.String() }),
		"cidr-block":                            field(func(row *store.VPC) string { return row.CIDR.String() }),
		"cidrBlock":                             field(func(row *store.VPC) string { return row.CIDR.String() }),
		"cidr-block-association.cidr-block":     byBlock(func(b vpcBlock) string { return b.CIDR.String() }),
		"cidr-block-association.association-id": byBlock(func(b vpcBlock) string { return b.ID }),
		"cidr-block-association.state":          byBlock(vpcBlock.stateText),
		"dhcp-options-id":                       field(func(row *store.VPC) string { return row.DHCPOptionsID }),
		"ipv6-cidr-block-association.association-id":  byIPv6Block(func(b vpcBlock) string { return b.ID }),
		"ipv6-cidr-block-association.ipv6-cidr-block": byIPv6Block(func(b vpcBlock) string { return b.CIDR.String() }),
		"ipv6-cidr-block-association.ipv6-pool":       byIPv6Block(func(vpcBlock) string { return amazonIPv6Pool }),
		"ipv6-cidr-block-association.state":           byIPv6Block(vpcBlock.stateText),
		"is-default":                                  booleanField(func(row *store.VPC) bool { return row.IsDefault }),
		"isDefault":                                   booleanField(func(row *store.VPC) bool { return row.IsDefault }),
		"owner-id":                                    field(vpcOwner),
		"state":                                       field(func(row *store.VPC) string { return row.State }),
	}),
}

// CreateVpc creates a VPC with a main route table, a default security group and a
// default network ACL.
func (a *API) CreateVpc(ctx context.Context, in *ec2.CreateVpcInput) (*ec2.CreateVpcOutput, error) {
	if err := required(parameter{"cidrBlock", in.CidrBlock}); err != nil {
		return nil, err
	}
	if err := unsupported(map[string]bool{
		"ipv6CidrBlock":        in.Ipv6CidrBlock != nil,
		"ipv6Pool":             in.Ipv6Pool != nil,
		"ipv4IpamPoolId":       in.Ipv4IpamPoolId != nil,
		"ipv4NetmaskLength":    in.Ipv4NetmaskLength != nil,
		"ipv6IpamPoolId":       in.Ipv6IpamPoolId != nil,
		"ipv6NetmaskLength":    in.Ipv6NetmaskLength != nil,
		"vpcEncryptionControl": in.VpcEncryptionControl != nil,
	}); err != nil {
		return nil, err
	}
	block, err := parseCIDR("cidrBlock", *in.CidrBlock)
	if err != nil {
		return nil, err
	}
	if err := checkVPCCIDR(block, *in.CidrBlock); err != nil {
		return nil, err
	}
	tenancy := in.InstanceTenancy
	switch tenancy {
	case "":
		tenancy = types.TenancyDefault
	case types.TenancyDefault, types.TenancyDedicated:
	default:
		return nil, invalidValue("instanceTenancy", string(tenancy), "Valid values are default and dedicated.")
	}
	tags, err := tagsOfSpecifications(in.TagSpecifications, types.ResourceTypeVpc)
	if err != nil {
		return nil, err
	}
	vpc := &store.VPC{CIDR: block, Tenancy: string(tenancy), Tags: tags[types.ResourceTypeVpc]}
	if err := a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		if err := a.limitVPCs(tx, region); err != nil {
			return err
		}
		if err := checkBorderGroup(region, in.Ipv6CidrBlockNetworkBorderGroup); err != nil {
			return err
		}
		vpc.Region = region
		a.newVPC(tx, vpc)
		if !aws.ToBool(in.AmazonProvidedIpv6CidrBlock) {
			return nil
		}
		if _, err := a.associateIPv6(tx, vpc.ID); err != nil {
			return err
		}
		vpc, _ = store.VPCs.Get(tx, vpc.ID)
		return nil
	}); err != nil {
		return nil, err
	}
	item := vpcItem(vpc)
	item.State = types.VpcStatePending
	for i := range item.Ipv6CidrBlockAssociationSet {
		item.Ipv6CidrBlockAssociationSet[i].Ipv6CidrBlockState.State = types.VpcCidrBlockStateCodeAssociating
	}
	return &ec2.CreateVpcOutput{Vpc: &item}, nil
}

// DescribeVpcs lists VPCs.
func (a *API) DescribeVpcs(ctx context.Context, in *ec2.DescribeVpcsInput) (*ec2.DescribeVpcsOutput, error) {
	view, region, err := a.read(ctx, in.DryRun)
	if err != nil {
		return nil, err
	}
	rows, next, err := vpcs.describe(view, region, describeQuery{
		ids: in.VpcIds, idParameter: "vpcIds", filters: in.Filters, page: pageRequest{in.MaxResults, in.NextToken},
		at: a.Now(),
	})
	if err != nil {
		return nil, err
	}
	return &ec2.DescribeVpcsOutput{Vpcs: list(rows, vpcItem), NextToken: next}, nil
}

func vpcOwner(row *store.VPC) string { return row.Region.Account() }

func vpcItem(row *store.VPC) types.Vpc {
	return types.Vpc{
		VpcId:     aws.String(row.ID),
		OwnerId:   aws.String(row.Region.Account()),
		CidrBlock: aws.String(row.CIDR.String()),
		State:     types.VpcState(row.State),
		CidrBlockAssociationSet: list(blocksOf(row), func(b vpcBlock) types.VpcCidrBlockAssociation {
			return *cidrAssociationItem(b.CIDRAssociation, b.state)
		}),
		Ipv6CidrBlockAssociationSet: list(ipv6BlocksOf(row), func(b vpcBlock) types.VpcIpv6CidrBlockAssociation {
			return *ipv6AssociationItem(row.Region, b.CIDRAssociation, b.state)
		}),
		DhcpOptionsId:   aws.String(row.DHCPOptionsID),
		InstanceTenancy: types.Tenancy(row.Tenancy),
		IsDefault:       aws.Bool(row.IsDefault),
		Tags:            tagSet(row.Tags),
	}
}

// DeleteVpc deletes a VPC that contains only what CreateVpc created.
func (a *API) DeleteVpc(ctx context.Context, in *ec2.DeleteVpcInput) (*ec2.DeleteVpcOutput, error) {
	if err := required(parameter{"vpcId", in.VpcId}); err != nil {
		return nil, err
	}
	return &ec2.DeleteVpcOutput{}, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		vpc, err := vpcs.get(tx, region, *in.VpcId)
		if err != nil {
			return err
		}
		if vpcInUse(tx, vpc.ID) {
			return dependencyViolation("vpc", vpc.ID)
		}
		for _, row := range store.RouteTablesByVPC.List(tx, vpc.ID) {
			store.RouteTables.Delete(tx, row.ID)
		}
		for _, row := range store.SecurityGroupsByVPC.List(tx, vpc.ID) {
			store.SecurityGroups.Delete(tx, row.ID)
		}
		for _, row := range store.NetworkACLsByVPC.List(tx, vpc.ID) {
			store.NetworkACLs.Delete(tx, row.ID)
		}
		for _, row := range store.PeeringConnectionsByVPC.List(tx, vpc.ID) {
			a.endPeering(tx, row, store.PeeringDeleted, "Deleted by "+vpc.Region.Account())
		}
		store.VPCs.Delete(tx, vpc.ID)
		return nil
	})
}

// vpcInUse reports whether a VPC contains more than CreateVpc created.
func vpcInUse(r store.Reader, vpcID string) bool {
	if len(store.SubnetsByVPC.List(r, vpcID)) > 0 || len(store.InternetGatewaysByVPC.List(r, vpcID)) > 0 ||
		len(store.NetworkInterfacesInVPC(r, vpcID)) > 0 || len(store.VPCEndpointsByVPC.List(r, vpcID)) > 0 ||
		len(store.EgressOnlyGatewaysByVPC.List(r, vpcID)) > 0 {
		return true
	}
	for _, row := range store.RouteTablesByVPC.List(r, vpcID) {
		if !isMain(row) {
			return true
		}
	}
	for _, row := range store.SecurityGroupsByVPC.List(r, vpcID) {
		if row.Name != defaultGroup {
			return true
		}
	}
	for _, row := range store.NetworkACLsByVPC.List(r, vpcID) {
		if !row.IsDefault {
			return true
		}
	}
	return false
}

// defaultVPC returns the region's default VPC. ok is false if it has been deleted.
func defaultVPC(r store.Reader, region identity.Region) (*store.VPC, bool) {
	for _, row := range store.VPCs.InRegion(r, region) {
		if row.IsDefault {
			return row, true
		}
	}
	return nil, false
}

// givenOrDefaultVPC returns the VPC with the id or, without an id, the default VPC.
func givenOrDefaultVPC(r store.Reader, region identity.Region, id *string) (*store.VPC, error) {
	if aws.ToString(id) != "" {
		return vpcs.get(r, region, *id)
	}
	if row, ok := defaultVPC(r, region); ok {
		return row, nil
	}
	return nil, wire.Errorf("VPCIdNotSpecified", "No default VPC for this user")
}

// newVPC completes a VPC and stores it with its main route table, its default security
// group and its default network ACL.
func (a *API) newVPC(tx *store.Tx, vpc *store.VPC) {
	vpc.ID, vpc.CIDRAssociationID = a.ids.ID("vpc-"), a.ids.ID(cidrAssociationPrefix)
	vpc.State, vpc.DNSSupport = string(types.VpcStateAvailable), true
	vpc.DHCPOptionsID = defaultDHCPOptions(tx, vpc.Region)
	if !vpc.IsDefault {
		vpc.AvailableAt = a.Manners.Until(a.Now(), manners.CreateVPC, vpc.ID)
	}
	store.VPCs.Put(tx, vpc)
	table := a.newRouteTable(vpc)
	table.Associations = []store.RouteTableAssociation{{ID: a.ids.ID("rtbassoc-"), Main: true}}
	store.RouteTables.Put(tx, table)
	group := a.newSecurityGroup(vpc, defaultGroup, "default VPC security group")
	group.Rules = append(group.Rules, store.SecurityGroupRule{
		ID:       a.ids.ID("sgr-"),
		Protocol: anyProtocol,
		FromPort: -1,
		ToPort:   -1,
		GroupID:  group.ID,
	})
	store.SecurityGroups.Put(tx, group)
	store.NetworkACLs.Put(tx, &store.NetworkACL{
		ID: a.ids.ID("acl-"), Region: vpc.Region, VPCID: vpc.ID, IsDefault: true,
		Entries: append([]store.NetworkACLEntry{
			{Number: 100, Egress: true, Allow: true, Protocol: anyProtocol, CIDR: anywhere},
			{Number: 100, Allow: true, Protocol: anyProtocol, CIDR: anywhere},
		}, defaultEntries()...),
	})
}
