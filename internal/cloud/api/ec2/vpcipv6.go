package ec2

import (
	"context"
	"net/netip"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/addressing"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/quota"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// anywhere6 contains all IPv6 addresses.
var anywhere6 = netip.MustParsePrefix("::/0")

// amazonIPv6Pool is the pool of the IPv6 addresses that AWS provides.
const amazonIPv6Pool = "Amazon"

// checkIPv6 refuses IPv6 on a host that cannot have it.
func (a *API) checkIPv6() error {
	if !a.IPv6Range.IsValid() {
		return wire.Errorf("UnsupportedOperation",
			"aloft's local cloud has no IPv6 here: this host's kernel has none, or one of its networks uses the range")
	}
	return nil
}

// associateIPv6 gives a VPC a free block of IPv6 addresses, with the local routes and the rules
// that AWS adds with it.
func (a *API) associateIPv6(tx *store.Tx, vpcID string) (store.CIDRAssociation, error) {
	var association store.CIDRAssociation
	if err := a.checkIPv6(); err != nil {
		return association, err
	}
	vpc, _ := store.VPCs.Get(tx, vpcID)
	if count := len(vpc.IPv6) + 1; !a.allows(quota.VPCIPv6Blocks, count) {
		return association, wire.Errorf(
			"CidrLimitExceeded", "This network '%s' has met its maximum number of allowed IPv6 CIDRs: %d",
			vpc.ID, quota.VPCIPv6Blocks.Default,
		)
	}
	block, err := addressing.FreeIPv6Block(tx, a.ids, a.IPv6Range)
	if err != nil {
		return association, wire.Errorf("InsufficientFreeAddresses", "There are no free IPv6 CIDR blocks.")
	}
	association = store.CIDRAssociation{ID: a.ids.ID(cidrAssociationPrefix), CIDR: block}
	store.VPCs.Edit(tx, vpc.ID, func(row *store.VPC) { row.IPv6 = append(slices.Clone(row.IPv6), association) })
	addLocalRoutes(tx, vpc, block)
	a.openDefaultsToIPv6(tx, vpc.ID)
	return association, nil
}

// checkBorderGroup refuses a network border group other than the region's own: there are no Local
// Zones, which have others.
func checkBorderGroup(region identity.Region, group *string) error {
	if name := aws.ToString(group); name != "" && name != region.Name() {
		return invalidValue("networkBorderGroup", name, "The Region has no such network border group.")
	}
	return nil
}

// addLocalRoutes gives each route table of a VPC a local route to a block that it did not have,
// after those to the others.
func addLocalRoutes(tx *store.Tx, vpc *store.VPC, block netip.Prefix) {
	for _, table := range store.RouteTablesByVPC.List(tx, vpc.ID) {
		store.RouteTables.Edit(tx, table.ID, func(row *store.RouteTable) {
			row.Routes = slices.Insert(slices.Clone(row.Routes), len(vpc.Blocks())+len(vpc.IPv6), localRoute(block))
		})
	}
}

// openDefaultsToIPv6 adds the rules that AWS adds when a VPC gets IPv6. All network ACLs deny what
// no other rule matches. The default network ACL and the default security group allow what they
// allow of IPv4 unless the user has changed that (Amazon VPC User Guide, Default network ACL;
// Default security groups).
func (a *API) openDefaultsToIPv6(tx *store.Tx, vpcID string) {
	for _, acl := range store.NetworkACLsByVPC.List(tx, vpcID) {
		setEntries(tx, acl, append(slices.Clone(acl.Entries), missingIPv6Entries(acl)...))
	}
	group, ok := groupNamed(tx, vpcID, defaultGroup)
	if !ok {
		return
	}
	egress := slices.DeleteFunc(
		slices.Clone(group.Rules), func(r store.SecurityGroupRule) bool { return !r.Egress },
	)
	if len(egress) == 1 && egress[0].CIDR == anywhere && egress[0].Protocol == anyProtocol {
		store.SecurityGroups.Edit(tx, group.ID, func(row *store.SecurityGroup) {
			row.Rules = append(slices.Clone(row.Rules), a.allowAll(anywhere6))
		})
	}
}

// defaultRuleNumber6 is the number of the two rules that deny what no other rule for IPv6
// matches.
const defaultRuleNumber6 = 32768

// missingIPv6Entries returns the entries that a network ACL lacks in a VPC with IPv6.
func missingIPv6Entries(acl *store.NetworkACL) (missing []store.NetworkACLEntry) {
	for _, egress := range []bool{true, false} {
		own := slices.DeleteFunc(
			slices.Clone(acl.Entries), func(e store.NetworkACLEntry) bool { return e.Egress != egress },
		)
		unchanged := len(own) == 2 && own[0].Allow && own[0].CIDR == anywhere && own[0].Protocol == anyProtocol
		if acl.IsDefault && unchanged {
			missing = append(missing, store.NetworkACLEntry{
				Number: 101, Egress: egress, Allow: true, Protocol: anyProtocol, CIDR: anywhere6,
			})
		}
		if entryIndex(acl, defaultRuleNumber6, egress) < 0 {
			missing = append(missing, store.NetworkACLEntry{
				Number: defaultRuleNumber6, Egress: egress, Protocol: anyProtocol, CIDR: anywhere6,
			})
		}
	}
	return missing
}

// ipv6AssociationItem describes a block of IPv6 addresses of a VPC.
func ipv6AssociationItem(
	region identity.Region, association store.CIDRAssociation, state types.VpcCidrBlockStateCode,
) *types.VpcIpv6CidrBlockAssociation {
	return &types.VpcIpv6CidrBlockAssociation{
		AssociationId: aws.String(association.ID), Ipv6CidrBlock: aws.String(association.CIDR.String()),
		Ipv6CidrBlockState: &types.VpcCidrBlockState{State: state},
		NetworkBorderGroup: aws.String(region.Name()), Ipv6Pool: aws.String(amazonIPv6Pool),
		Ipv6AddressAttribute: types.Ipv6AddressAttributePublic, IpSource: types.IpSourceAmazon,
	}
}

// associateProvidedIPv6 gives a VPC an IPv6 block that the request leaves to AWS.
func (a *API) associateProvidedIPv6(
	ctx context.Context, vpcID string, borderGroup *string,
) (item *types.VpcIpv6CidrBlockAssociation, err error) {
	err = a.change(ctx, nil, func(tx *store.Tx, region identity.Region) error {
		if _, err := vpcs.get(tx, region, vpcID); err != nil {
			return err
		}
		if err := checkBorderGroup(region, borderGroup); err != nil {
			return err
		}
		association, err := a.associateIPv6(tx, vpcID)
		item = ipv6AssociationItem(region, association, types.VpcCidrBlockStateCodeAssociating)
		return err
	})
	return item, err
}
