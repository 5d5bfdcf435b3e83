package ec2

import (
	"context"
	"net/netip"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

const subnetAssociationPrefix = "subnet-cidr-assoc-"

// The prefix lengths of a subnet's block of IPv6 addresses are multiples of ipv6Step up to
// longestIPv6 (Amazon VPC User Guide, Subnet sizing for IPv6).
const (
	longestIPv6 = 64
	ipv6Step    = 4
)

// newSubnetIPv6 returns the association of a subnet of a VPC with a block of IPv6 addresses. given
// is the block as the request spells it.
func (a *API) newSubnetIPv6(r store.Reader, vpc *store.VPC, given string) (store.CIDRAssociation, error) {
	block, err := parseIPv6CIDR("ipv6CidrBlock", given)
	if err != nil {
		return store.CIDRAssociation{}, err
	}
	if block.Bits() > longestIPv6 || block.Bits()%ipv6Step != 0 || !isWithin(block, vpc.IPv6Blocks()) {
		return store.CIDRAssociation{}, wire.Errorf("InvalidSubnet.Range", "The IPv6 CIDR '%s' is invalid.", given)
	}
	for _, sibling := range store.SubnetsByVPC.List(r, vpc.ID) {
		if sibling.IPv6.CIDR.Overlaps(block) {
			return store.CIDRAssociation{}, wire.Errorf(
				"InvalidSubnet.Conflict", "The IPv6 CIDR '%s' conflicts with another subnet", given,
			)
		}
	}
	return store.CIDRAssociation{ID: a.ids.ID(subnetAssociationPrefix), CIDR: block}, nil
}

// subnetIPv6Items describes the block of IPv6 addresses of a subnet, if it has one.
func subnetIPv6Items(
	association store.CIDRAssociation, state types.SubnetCidrBlockStateCode,
) []types.SubnetIpv6CidrBlockAssociation {
	if association.ID == "" {
		return []types.SubnetIpv6CidrBlockAssociation{}
	}
	return []types.SubnetIpv6CidrBlockAssociation{{
		AssociationId: aws.String(association.ID), Ipv6CidrBlock: aws.String(association.CIDR.String()),
		Ipv6CidrBlockState:   &types.SubnetCidrBlockState{State: state},
		Ipv6AddressAttribute: types.Ipv6AddressAttributePublic, IpSource: types.IpSourceAmazon,
	}}
}

// describedIPv6 describes the block of IPv6 addresses of a subnet, and the one that it had before:
// clients wait until that is described as disassociated.
func describedIPv6(row *store.Subnet) []types.SubnetIpv6CidrBlockAssociation {
	return append(
		subnetIPv6Items(row.IPv6, types.SubnetCidrBlockStateCodeAssociated),
		subnetIPv6Items(row.FormerIPv6, types.SubnetCidrBlockStateCodeDisassociated)...,
	)
}

// ifSubnetIPv6 returns a filter by a property of the blocks of IPv6 addresses of a subnet.
func ifSubnetIPv6(
	text func(types.SubnetIpv6CidrBlockAssociation) string,
) func(store.Reader, *store.Subnet) []string {
	return func(_ store.Reader, row *store.Subnet) []string { return list(describedIPv6(row), text) }
}

// AssociateSubnetCidrBlock gives a subnet a block of IPv6 addresses. It has at most one.
func (a *API) AssociateSubnetCidrBlock(
	ctx context.Context, in *ec2.AssociateSubnetCidrBlockInput,
) (*ec2.AssociateSubnetCidrBlockOutput, error) {
	if err := required(parameter{"subnetId", in.SubnetId}); err != nil {
		return nil, err
	}
	if err := supportOnly(in, "SubnetId", "Ipv6CidrBlock"); err != nil {
		return nil, err
	}
	if err := required(parameter{"ipv6CidrBlock", in.Ipv6CidrBlock}); err != nil {
		return nil, err
	}
	out := &ec2.AssociateSubnetCidrBlockOutput{SubnetId: in.SubnetId}
	return out, a.change(ctx, nil, func(tx *store.Tx, region identity.Region) error {
		subnet, err := subnets.get(tx, region, *in.SubnetId)
		if err != nil {
			return err
		}
		vpc, err := vpcs.get(tx, region, subnet.VPCID)
		if err != nil {
			return err
		}
		association, err := a.newSubnetIPv6(tx, vpc, *in.Ipv6CidrBlock)
		if err != nil {
			return err
		}
		if subnet.IPv6.ID != "" {
			return wire.Errorf(
				"CidrLimitExceeded", "This subnet '%s' has met its maximum number of allowed IPv6 CIDRs: 1", subnet.ID,
			)
		}
		store.Subnets.Edit(tx, subnet.ID, func(row *store.Subnet) { row.IPv6 = association })
		out.Ipv6CidrBlockAssociation = &subnetIPv6Items(association, types.SubnetCidrBlockStateCodeAssociating)[0]
		return nil
	})
}

// DisassociateSubnetCidrBlock takes the block of IPv6 addresses from a subnet in which no network
// interface has one of them.
func (a *API) DisassociateSubnetCidrBlock(
	ctx context.Context, in *ec2.DisassociateSubnetCidrBlockInput,
) (*ec2.DisassociateSubnetCidrBlockOutput, error) {
	if err := required(parameter{"associationId", in.AssociationId}); err != nil {
		return nil, err
	}
	out := &ec2.DisassociateSubnetCidrBlockOutput{}
	return out, a.change(ctx, nil, func(tx *store.Tx, region identity.Region) error {
		subnet, err := subnetWithAssociation(tx, region, *in.AssociationId)
		if err != nil {
			return err
		}
		if subnet.AssignIPv6 {
			return wire.Errorf("InvalidCidrBlock.InUse",
				"The subnet IPv6 CIDR block with association ID %s may not be disassociated, "+
					"because its subnet has assign-ipv6-address-on-creation set to true.", subnet.IPv6.ID)
		}
		for _, eni := range store.NetworkInterfacesInSubnet(tx, subnet.ID) {
			if len(eni.IPv6) > 0 {
				return wire.Errorf("InvalidCidrBlock.InUse",
					"The subnet IPv6 CIDR block with association ID %s may not be disassociated, "+
						"because it has IPv6 addresses in use.", subnet.IPv6.ID)
			}
		}
		out.SubnetId = aws.String(subnet.ID)
		out.Ipv6CidrBlockAssociation = &subnetIPv6Items(
			subnet.IPv6, types.SubnetCidrBlockStateCodeDisassociating,
		)[0]
		forgetReservations(tx, subnet.ID, subnet.IPv6.CIDR)
		store.Subnets.Edit(tx, subnet.ID, func(row *store.Subnet) {
			row.IPv6, row.FormerIPv6 = store.CIDRAssociation{}, row.IPv6
		})
		return nil
	})
}

// subnetWithAssociation returns the subnet whose block of IPv6 addresses has an association.
func subnetWithAssociation(r store.Reader, region identity.Region, id string) (*store.Subnet, error) {
	for _, subnet := range store.Subnets.InRegion(r, region) {
		if subnet.IPv6.ID == id {
			return subnet, nil
		}
	}
	return nil, wire.Errorf("InvalidSubnetCidrBlockAssociationID.NotFound",
		"The subnet CIDR block with association ID '%s' does not exist", id)
}

// isWithin reports whether one of the blocks contains another block.
func isWithin(block netip.Prefix, blocks []netip.Prefix) bool {
	for _, own := range blocks {
		if block.Bits() >= own.Bits() && own.Contains(block.Addr()) {
			return true
		}
	}
	return false
}
