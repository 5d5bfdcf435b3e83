package ec2

import (
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// localBlocks returns the blocks to which the main route table of a VPC has local routes.
func (c *cloud) localBlocks(vpc string) []string {
	c.t.Helper()
	out := do(c, c.DescribeRouteTables, &ec2.DescribeRouteTablesInput{Filters: []types.Filter{filter("vpc-id", vpc)}})
	var blocks []string
	for _, route := range out.RouteTables[0].Routes {
		if aws.ToString(route.GatewayId) == localGateway {
			blocks = append(blocks, *route.DestinationCidrBlock)
		}
	}
	return blocks
}

func TestAFurtherBlockHasSubnetsAndLocalRoutes(t *testing.T) {
	c := newCloud(t)
	vpc := c.vpc("10.0.0.0/16")
	added := do(c, c.AssociateVpcCidrBlock, &ec2.AssociateVpcCidrBlockInput{
		VpcId: &vpc, CidrBlock: aws.String("10.1.0.0/16"),
	}).CidrBlockAssociation
	if added.CidrBlockState.State != types.VpcCidrBlockStateCodeAssociating {
		t.Errorf("state %s", added.CidrBlockState.State)
	}
	subnet := c.subnet(vpc, "10.1.2.0/24", "us-east-1a")
	if got := c.localBlocks(vpc); !slices.Equal(got, []string{"10.0.0.0/16", "10.1.0.0/16"}) {
		t.Errorf("local routes to %v", got)
	}
	table := do(c, c.CreateRouteTable, &ec2.CreateRouteTableInput{VpcId: &vpc}).RouteTable
	if len(table.Routes) != 2 {
		t.Errorf("a new route table has %d routes, want 2", len(table.Routes))
	}
	found := do(c, c.DescribeVpcs, &ec2.DescribeVpcsInput{
		Filters: []types.Filter{filter("cidr-block-association.cidr-block", "10.1.0.0/16")},
	}).Vpcs
	if len(found) != 1 || len(found[0].CidrBlockAssociationSet) != 2 || *found[0].CidrBlock != "10.0.0.0/16" {
		t.Errorf("got %+v", found)
	}
	remove := &ec2.DisassociateVpcCidrBlockInput{AssociationId: added.AssociationId}
	if _, err := c.DisassociateVpcCidrBlock(c.ctx, remove); code(err) != "InvalidCidrBlock.InUse" {
		t.Errorf("with a subnet: %v", err)
	}
	do(c, c.DeleteSubnet, &ec2.DeleteSubnetInput{SubnetId: &subnet})
	do(c, c.DisassociateVpcCidrBlock, remove)
	byState := func(state string) []types.Vpc {
		return do(c, c.DescribeVpcs, &ec2.DescribeVpcsInput{
			VpcIds: []string{vpc}, Filters: []types.Filter{filter("cidr-block-association.state", state)},
		}).Vpcs
	}
	if gone := byState("disassociated"); len(gone) != 1 || len(gone[0].CidrBlockAssociationSet) != 2 ||
		gone[0].CidrBlockAssociationSet[1].CidrBlockState.State != types.VpcCidrBlockStateCodeDisassociated {
		t.Errorf("after its end the block is described as %+v", gone)
	}
	c.Now = func() time.Time { return noon.Add(formerDescribed) }
	if gone, own := byState("disassociated"), byState("associated"); len(gone) != 0 || len(own) != 1 ||
		len(own[0].CidrBlockAssociationSet) != 1 {
		t.Errorf("half an hour later it is described as %+v, %+v", gone, own)
	}
	if got := c.localBlocks(vpc); !slices.Equal(got, []string{"10.0.0.0/16"}) {
		t.Errorf("afterwards local routes to %v", got)
	}
	if _, err := c.CreateSubnet(c.ctx, &ec2.CreateSubnetInput{
		VpcId: &vpc, CidrBlock: aws.String("10.1.2.0/24"),
	}); code(err) != "InvalidSubnet.Range" {
		t.Errorf("a subnet in the former block: %v", err)
	}
}

func TestAVPCRefusesBlocksThatItCannotHave(t *testing.T) {
	c := newCloud(t)
	vpc := c.vpc("10.0.0.0/16")
	for block, want := range map[string]string{
		"10.0.128.0/20":  "InvalidVpc.Range", // overlaps
		"192.168.0.0/16": "InvalidVpc.Range", // another range of private addresses
		"10.9.0.0/12":    "InvalidVpc.Range", // too large
	} {
		_, err := c.AssociateVpcCidrBlock(c.ctx, &ec2.AssociateVpcCidrBlockInput{VpcId: &vpc, CidrBlock: &block})
		if code(err) != want {
			t.Errorf("%s: %v, want %s", block, err, want)
		}
	}
	for _, block := range []string{"10.1.0.0/16", "10.2.0.0/16", "100.64.0.0/16", "10.3.0.0/16"} {
		do(c, c.AssociateVpcCidrBlock, &ec2.AssociateVpcCidrBlockInput{VpcId: &vpc, CidrBlock: &block})
	}
	wantError(c, c.AssociateVpcCidrBlock, &ec2.AssociateVpcCidrBlockInput{
		VpcId: &vpc, CidrBlock: aws.String("10.4.0.0/16"),
	}, "CidrLimitExceeded: This network '"+vpc+"' has met its maximum number of allowed CIDRs: 5")
	primary := do(c, c.DescribeVpcs, &ec2.DescribeVpcsInput{VpcIds: []string{vpc}}).Vpcs[0].CidrBlockAssociationSet[0]
	if _, err := c.DisassociateVpcCidrBlock(c.ctx, &ec2.DisassociateVpcCidrBlockInput{
		AssociationId: primary.AssociationId,
	}); code(err) != "OperationNotPermitted" {
		t.Errorf("the primary block: %v", err)
	}
	if _, err := c.DisassociateVpcCidrBlock(c.ctx, &ec2.DisassociateVpcCidrBlockInput{
		AssociationId: aws.String("vpc-cidr-assoc-0"),
	}); code(err) != "InvalidVpcCidrBlockAssociationID.NotFound" {
		t.Errorf("an unknown association: %v", err)
	}
}
