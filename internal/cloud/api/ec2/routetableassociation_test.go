package ec2

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/addressing"
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

func TestAnInternetGatewayHasARouteTable(t *testing.T) {
	c := newCloud(t)
	vpc := c.vpc("10.0.0.0/16")
	subnet := c.subnet(vpc, "10.0.1.0/24", "us-east-1a")
	nic := c.nic(addressing.InterfaceSpec{}, subnet).ID
	newTable := func() *string {
		return do(c, c.CreateRouteTable, &ec2.CreateRouteTableInput{VpcId: &vpc}).RouteTable.RouteTableId
	}
	table, other, public := newTable(), newTable(), newTable()
	gateway := do(c, c.CreateInternetGateway, &ec2.CreateInternetGatewayInput{}).InternetGateway.InternetGatewayId
	associate := func(table *string) *ec2.AssociateRouteTableInput {
		return &ec2.AssociateRouteTableInput{RouteTableId: table, GatewayId: gateway}
	}
	route := func(table *string, to string) *ec2.CreateRouteInput {
		return &ec2.CreateRouteInput{RouteTableId: table, DestinationCidrBlock: &to, NetworkInterfaceId: &nic}
	}
	both := associate(table)
	both.SubnetId = &subnet
	wantError(c, c.AssociateRouteTable, both,
		"InvalidParameterCombination: The parameter subnetId cannot be used with the parameter gatewayId")
	wantError(c, c.AssociateRouteTable, associate(table), "InvalidParameterValue: route table "+*table+
		" and network gateway "+*gateway+" belong to different networks")
	for _, id := range []string{"igw-00000000", "vgw-00000000"} {
		wantError(c, c.AssociateRouteTable, &ec2.AssociateRouteTableInput{RouteTableId: table, GatewayId: &id},
			"InvalidGatewayID.NotFound: The gateway ID '"+id+"' does not exist")
	}
	do(c, c.AttachInternetGateway, &ec2.AttachInternetGatewayInput{InternetGatewayId: gateway, VpcId: &vpc})
	do(c, c.CreateRoute, &ec2.CreateRouteInput{
		RouteTableId: public, DestinationCidrBlock: aws.String("0.0.0.0/0"), GatewayId: gateway,
	})
	if _, err := c.AssociateRouteTable(c.ctx, associate(public)); code(err) != "InvalidParameterValue" {
		t.Errorf("a table with a route to the internet: got %v", err)
	}
	main := do(c, c.DescribeRouteTables, &ec2.DescribeRouteTablesInput{
		Filters: []types.Filter{filter("association.main", "true"), filter("vpc-id", vpc)},
	}).RouteTables[0]
	if _, err := c.AssociateRouteTable(c.ctx, associate(main.RouteTableId)); code(err) != "InvalidParameterValue" {
		t.Errorf("the main route table: got %v", err)
	}

	do(c, c.CreateRoute, route(table, "10.0.1.0/24"))
	first := do(c, c.AssociateRouteTable, associate(table)).AssociationId
	if again := do(c, c.AssociateRouteTable, associate(table)).AssociationId; *again != *first {
		t.Error("a repeated request created another association")
	}
	if _, err := c.AssociateRouteTable(c.ctx, associate(other)); code(err) != "Resource.AlreadyAssociated" {
		t.Errorf("second table: got %v", err)
	}
	for _, in := range []*ec2.CreateRouteInput{
		route(table, "192.0.2.0/24"), route(table, "10.0.2.0/24"), {
			RouteTableId: table, DestinationCidrBlock: aws.String("0.0.0.0/0"), GatewayId: gateway,
		},
	} {
		if _, err := c.CreateRoute(c.ctx, in); code(err) != "InvalidParameterValue" {
			t.Errorf("a route to %s: got %v", *in.DestinationCidrBlock, err)
		}
	}
	if _, err := c.ReplaceRouteTableAssociation(c.ctx, &ec2.ReplaceRouteTableAssociationInput{
		AssociationId: main.Associations[0].RouteTableAssociationId, RouteTableId: table,
	}); code(err) != "InvalidParameterValue" {
		t.Errorf("the gateway's table as the main one: got %v", err)
	}
	if _, err := c.ReplaceRouteTableAssociation(c.ctx, &ec2.ReplaceRouteTableAssociationInput{
		AssociationId: first, RouteTableId: public,
	}); code(err) != "InvalidParameterValue" {
		t.Errorf("a table with a route to the internet: got %v", err)
	}
	moved := do(c, c.ReplaceRouteTableAssociation, &ec2.ReplaceRouteTableAssociationInput{
		AssociationId: first, RouteTableId: other,
	}).NewAssociationId
	found := do(c, c.DescribeRouteTables, &ec2.DescribeRouteTablesInput{
		Filters: []types.Filter{filter("association.gateway-id", *gateway)},
	}).RouteTables
	if len(found) != 1 || *found[0].RouteTableId != *other || len(found[0].Associations) != 1 {
		t.Fatalf("tables of the gateway: %+v", found)
	}
	got := found[0].Associations[0]
	if *got.RouteTableAssociationId != *moved || aws.ToString(got.GatewayId) != *gateway || got.SubnetId != nil {
		t.Errorf("the association is %+v", got)
	}
	do(c, c.DisassociateRouteTable, &ec2.DisassociateRouteTableInput{AssociationId: moved})
	do(c, c.AssociateRouteTable, associate(table))
	do(c, c.DetachInternetGateway, &ec2.DetachInternetGatewayInput{InternetGatewayId: gateway, VpcId: &vpc})
	do(c, c.DeleteRouteTable, &ec2.DeleteRouteTableInput{RouteTableId: table})
}
