package ec2

import (
	"context"
	"net/netip"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/quota"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// privateRanges are the ranges of private IPv4 addresses. A VPC whose primary block is in one
// cannot have a further block in another (Amazon VPC User Guide, IPv4 CIDR block association
// restrictions).
var privateRanges = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"),
	netip.MustParsePrefix("192.168.0.0/16"),
}

// AssociateVpcCidrBlock adds a block of IPv4 addresses to a VPC, or one of IPv6 addresses that AWS
// chooses. Each of its route tables gets a local route for it.
func (a *API) AssociateVpcCidrBlock(
	ctx context.Context, in *ec2.AssociateVpcCidrBlockInput,
) (*ec2.AssociateVpcCidrBlockOutput, error) {
	if err := required(parameter{"vpcId", in.VpcId}); err != nil {
		return nil, err
	}
	if err := supportOnly(
		in, "VpcId", "CidrBlock", "AmazonProvidedIpv6CidrBlock", "Ipv6CidrBlockNetworkBorderGroup",
	); err != nil {
		return nil, err
	}
	if aws.ToBool(in.AmazonProvidedIpv6CidrBlock) {
		if in.CidrBlock != nil {
			return nil, wire.Errorf("InvalidParameterCombination",
				"The parameter CidrBlock cannot be used with the parameter AmazonProvidedIpv6CidrBlock")
		}
		item, err := a.associateProvidedIPv6(ctx, *in.VpcId, in.Ipv6CidrBlockNetworkBorderGroup)
		return &ec2.AssociateVpcCidrBlockOutput{VpcId: in.VpcId, Ipv6CidrBlockAssociation: item}, err
	}
	if err := required(parameter{"cidrBlock", in.CidrBlock}); err != nil {
		return nil, err
	}
	block, err := parseCIDR("cidrBlock", *in.CidrBlock)
	if err != nil {
		return nil, err
	}
	if err := checkVPCCIDR(block, *in.CidrBlock); err != nil {
		return nil, err
	}
	association := store.CIDRAssociation{ID: a.ids.ID(cidrAssociationPrefix), CIDR: block}
	return &ec2.AssociateVpcCidrBlockOutput{
			VpcId:                in.VpcId,
			CidrBlockAssociation: cidrAssociationItem(association, types.VpcCidrBlockStateCodeAssociating),
		}, a.change(ctx, nil, func(tx *store.Tx, region identity.Region) error {
			vpc, err := vpcs.get(tx, region, *in.VpcId)
			if err != nil {
				return err
			}
			if err := a.checkFurtherBlock(tx, vpc, block); err != nil {
				return err
			}
			store.VPCs.Edit(tx, vpc.ID, func(row *store.VPC) {
				row.SecondaryBlocks = append(slices.Clone(row.SecondaryBlocks), association)
			})
			addLocalRoutes(tx, vpc, block)
			return nil
		})
}

const cidrAssociationPrefix = "vpc-cidr-assoc-"

func cidrAssociationItem(
	association store.CIDRAssociation, state types.VpcCidrBlockStateCode,
) *types.VpcCidrBlockAssociation {
	return &types.VpcCidrBlockAssociation{
		AssociationId: aws.String(association.ID), CidrBlock: aws.String(association.CIDR.String()),
		CidrBlockState: &types.VpcCidrBlockState{State: state},
	}
}

// checkFurtherBlock refuses a block that a VPC cannot have besides its own.
func (a *API) checkFurtherBlock(r store.Reader, vpc *store.VPC, block netip.Prefix) error {
	for _, own := range vpc.Blocks() {
		if own.Overlaps(block) {
			return wire.Errorf("InvalidVpc.Range", "The CIDR '%s' overlaps with the CIDR '%s' of the VPC.", block, own)
		}
	}
	in := func(p netip.Prefix) int {
		return slices.IndexFunc(privateRanges, func(rng netip.Prefix) bool { return rng.Overlaps(p) })
	}
	if own, other := in(vpc.CIDR), in(block); other >= 0 && own != other {
		return wire.Errorf("InvalidVpc.Range",
			"The CIDR '%s' is restricted. Use a CIDR from the same private address range as the current VPC CIDR, "+
				"or use a publicly-routable CIDR. For additional restrictions, see "+
				"https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Subnets.html", block)
	}
	for _, table := range store.RouteTablesByVPC.List(r, vpc.ID) {
		for _, route := range table.Routes {
			if to := route.Destination; to.IsValid() && block.Bits() <= to.Bits() && block.Contains(to.Addr()) {
				return wire.Errorf("InvalidVpc.Range",
					"The CIDR '%s' is the same as or larger than the destination %s of a route in the route table %s.",
					block, to, table.ID)
			}
		}
	}
	for _, peering := range store.PeeringConnectionsByVPC.List(r, vpc.ID) {
		other, ok := store.VPCs.Get(r, peering.Other(vpc.ID).VPCID)
		if peering.State == store.PeeringActive && ok && overlap(other.Blocks(), []netip.Prefix{block}) {
			return wire.Errorf("InvalidVpc.Range",
				"The CIDR '%s' overlaps with a CIDR of the peered VPC %s.", block, other.ID)
		}
	}
	if count := len(vpc.Blocks()) + 1; !a.allows(quota.VPCBlocks, count) {
		return wire.Errorf("CidrLimitExceeded", "This network '%s' has met its maximum number of allowed CIDRs: %d",
			vpc.ID, quota.VPCBlocks.Default)
	}
	return nil
}

// overlap reports whether one of the blocks has addresses of one of the others.
func overlap(blocks, others []netip.Prefix) bool {
	return slices.ContainsFunc(blocks, func(block netip.Prefix) bool {
		return slices.ContainsFunc(others, block.Overlaps)
	})
}

// DisassociateVpcCidrBlock takes a block from a VPC that has no subnet in it.
func (a *API) DisassociateVpcCidrBlock(
	ctx context.Context, in *ec2.DisassociateVpcCidrBlockInput,
) (*ec2.DisassociateVpcCidrBlockOutput, error) {
	if err := required(parameter{"associationId", in.AssociationId}); err != nil {
		return nil, err
	}
	out := &ec2.DisassociateVpcCidrBlockOutput{}
	return out, a.change(ctx, nil, func(tx *store.Tx, region identity.Region) error {
		vpc, association, err := findCIDRAssociation(tx, region, *in.AssociationId)
		if err != nil {
			return err
		}
		for _, subnet := range store.SubnetsByVPC.List(tx, vpc.ID) {
			if subnet.CIDR.Overlaps(association.CIDR) || subnet.IPv6.CIDR.Overlaps(association.CIDR) {
				return wire.Errorf("InvalidCidrBlock.InUse",
					"The vpc %s currently has a subnet within CIDR block %s", vpc.ID, association.CIDR)
			}
		}
		without := func(all []store.CIDRAssociation) []store.CIDRAssociation {
			return slices.DeleteFunc(
				slices.Clone(all), func(c store.CIDRAssociation) bool { return c == association },
			)
		}
		store.VPCs.Edit(tx, vpc.ID, func(row *store.VPC) {
			row.SecondaryBlocks, row.IPv6 = without(row.SecondaryBlocks), without(row.IPv6)
			former := append(formerAt(row, a.Now()), store.FormerBlock{CIDRAssociation: association, Until: a.Now()})
			row.FormerBlocks = former[max(len(former)-formerLimit, 0):]
		})
		for _, table := range store.RouteTablesByVPC.List(tx, vpc.ID) {
			store.RouteTables.Edit(tx, table.ID, func(row *store.RouteTable) {
				row.Routes = slices.DeleteFunc(slices.Clone(row.Routes), func(route store.Route) bool {
					return isOwn(route) && route.Destination == association.CIDR
				})
			})
		}
		out.VpcId = aws.String(vpc.ID)
		if association.CIDR.Addr().Is6() {
			out.Ipv6CidrBlockAssociation = ipv6AssociationItem(
				region, association, types.VpcCidrBlockStateCodeDisassociating,
			)
			return nil
		}
		out.CidrBlockAssociation = cidrAssociationItem(association, types.VpcCidrBlockStateCodeDisassociating)
		return nil
	})
}

// findCIDRAssociation returns the VPC and the further block of an association.
func findCIDRAssociation(
	r store.Reader, region identity.Region, id string,
) (*store.VPC, store.CIDRAssociation, error) {
	for _, vpc := range store.VPCs.InRegion(r, region) {
		if vpc.CIDRAssociationID == id {
			return nil, store.CIDRAssociation{}, wire.Errorf("OperationNotPermitted",
				"The vpc CIDR block with association ID %s may not be disassociated. "+
					"It is the primary IPv4 CIDR block of the VPC", id)
		}
		for _, association := range slices.Concat(vpc.SecondaryBlocks, vpc.IPv6) {
			if association.ID == id {
				return vpc, association, nil
			}
		}
	}
	return nil, store.CIDRAssociation{}, wire.Errorf("InvalidVpcCidrBlockAssociationID.NotFound",
		"The vpc CIDR block association ID '%s' does not exist", id)
}
