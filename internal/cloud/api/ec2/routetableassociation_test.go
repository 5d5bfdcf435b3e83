package ec2

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
)

func TestASubnetHasOneRouteTable(t *testing.T) {
	c := newCloud(t)
	vpc := c.vpc("10.0.0.0/16")
	subnet := c.subnet(vpc, "10.0.1.0/24", "us-east-1a")
	one := do(c, c.CreateRouteTable, &ec2.CreateRouteTableInput{VpcId: &vpc}).RouteTable.RouteTableId
	two := do(c, c.CreateRouteTable, &ec2.CreateRouteTableInput{VpcId: &vpc}).RouteTable.RouteTableId
	first := do(c, c.AssociateRouteTable, &ec2.AssociateRouteTableInput{RouteTableId: one, SubnetId: &subnet})
	again := do(c, c.AssociateRouteTable, &ec2.AssociateRouteTableInput{RouteTableId: one, SubnetId: &subnet})
	if *first.AssociationId != *again.AssociationId {
		t.Error("a repeated request created another association")
	}
	if _, err := c.AssociateRouteTable(c.ctx, &ec2.AssociateRouteTableInput{
		RouteTableId: two, SubnetId: &subnet,
	}); code(err) != "Resource.AlreadyAssociated" {
		t.Errorf("second association: got %v", err)
	}
	moved := do(c, c.ReplaceRouteTableAssociation,
		&ec2.ReplaceRouteTableAssociationInput{AssociationId: first.AssociationId, RouteTableId: two})
	do(c, c.DeleteRouteTable, &ec2.DeleteRouteTableInput{RouteTableId: one})
	do(c, c.DisassociateRouteTable, &ec2.DisassociateRouteTableInput{AssociationId: moved.NewAssociationId})
	wantError(c, c.DisassociateRouteTable, &ec2.DisassociateRouteTableInput{AssociationId: moved.NewAssociationId},
		"InvalidAssociationID.NotFound: The association ID '"+*moved.NewAssociationId+"' does not exist")
	do(c, c.DeleteRouteTable, &ec2.DeleteRouteTableInput{RouteTableId: two})
}
