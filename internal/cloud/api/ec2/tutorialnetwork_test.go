package ec2

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"
)

func TestTheTutorialsNetworkIsCreatedAndDeletedCompletely(t *testing.T) {
	c := newCloud(t)
	do(c, c.DescribeVpcs, &ec2.DescribeVpcsInput{})
	before := c.rows()
	named := func(kind types.ResourceType, name string) []types.TagSpecification {
		return specification(kind, "Name", name, "aloft:app", "tutorial")
	}

	vpc := do(c, c.CreateVpc,
		&ec2.CreateVpcInput{CidrBlock: aws.String("10.0.0.0/16"), TagSpecifications: named("vpc", "tutorial")}).Vpc
	if vpc.State != types.VpcStatePending || len(vpc.Tags) != 2 {
		t.Errorf("new VPC: %v %v", vpc.State, vpc.Tags)
	}
	var subnets []string
	for i, zone := range []string{"us-east-1a", "us-east-1b", "us-east-1c"} {
		subnet := do(c, c.CreateSubnet, &ec2.CreateSubnetInput{
			VpcId: vpc.VpcId, CidrBlock: aws.String(fmt.Sprintf("10.0.%d.0/24", i+1)), AvailabilityZone: &zone,
			TagSpecifications: named("subnet", zone),
		}).Subnet
		if *subnet.AvailableIpAddressCount != 251 || subnet.State != types.SubnetStatePending {
			t.Errorf("new subnet: %d addresses, %s", *subnet.AvailableIpAddressCount, subnet.State)
		}
		do(c, c.ModifySubnetAttribute, &ec2.ModifySubnetAttributeInput{
			SubnetId:            subnet.SubnetId,
			MapPublicIpOnLaunch: &types.AttributeBooleanValue{Value: aws.Bool(true)},
		})
		subnets = append(subnets, *subnet.SubnetId)
	}
	gateway := do(
		c, c.CreateInternetGateway, &ec2.CreateInternetGatewayInput{TagSpecifications: named("internet-gateway", "gw")},
	).InternetGateway.InternetGatewayId
	do(c, c.AttachInternetGateway, &ec2.AttachInternetGatewayInput{InternetGatewayId: gateway, VpcId: vpc.VpcId})
	table := do(
		c,
		c.CreateRouteTable,
		&ec2.CreateRouteTableInput{VpcId: vpc.VpcId, TagSpecifications: named("route-table", "rt")},
	).RouteTable.RouteTableId
	do(c, c.CreateRoute,
		&ec2.CreateRouteInput{RouteTableId: table, DestinationCidrBlock: aws.String("0.0.0.0/0"), GatewayId: gateway})
	for _, subnet := range subnets {
		do(c, c.AssociateRouteTable, &ec2.AssociateRouteTableInput{RouteTableId: table, SubnetId: &subnet})
	}
	web, app := c.group(*vpc.VpcId, "web"), c.group(*vpc.VpcId, "app")
	do(c, c.AuthorizeSecurityGroupIngress,
		&ec2.AuthorizeSecurityGroupIngressInput{GroupId: &app, IpPermissions: []types.IpPermission{{
			IpProtocol: aws.String("tcp"),
			FromPort:   aws.Int32(3000), ToPort: aws.Int32(3000),
			UserIdGroupPairs: []types.UserIdGroupPair{{GroupId: &web}},
		}}})
	do(c, c.CreateKeyPair, &ec2.CreateKeyPairInput{KeyName: aws.String("tutorial"), KeyType: types.KeyTypeEd25519})

	app1 := []types.Filter{filter("tag:aloft:app", "tutorial")}
	if found := do(c, c.DescribeVpcs, &ec2.DescribeVpcsInput{Filters: app1}).Vpcs; len(found) != 1 ||
		found[0].State != types.VpcStateAvailable {
		t.Errorf("VPCs by tag: %v", found)
	}
	if found := do(c, c.DescribeSubnets, &ec2.DescribeSubnetsInput{
		Filters: append(app1, filter("availability-zone", "*b")),
	}).Subnets; len(found) != 1 ||
		*found[0].SubnetId != subnets[1] ||
		!*found[0].MapPublicIpOnLaunch {
		t.Errorf("subnets by zone: %v", found)
	}
	tables := do(c, c.DescribeRouteTables,
		&ec2.DescribeRouteTablesInput{Filters: []types.Filter{filter("association.subnet-id", subnets[2])}}).RouteTables
	if len(tables) != 1 || len(tables[0].Associations) != 3 || len(tables[0].Routes) != 2 ||
		tables[0].Routes[1].State != types.RouteStateActive {
		t.Errorf("route tables by subnet: %+v", tables)
	}

	wantError(c, c.DeleteVpc, &ec2.DeleteVpcInput{VpcId: vpc.VpcId},
		"DependencyViolation: The vpc '"+*vpc.VpcId+"' has dependencies and cannot be deleted.")
	wantError(c, c.DeleteRouteTable, &ec2.DeleteRouteTableInput{RouteTableId: table},
		"DependencyViolation: The routeTable '"+*table+"' has dependencies and cannot be deleted.")
	wantError(c, c.DeleteInternetGateway, &ec2.DeleteInternetGatewayInput{InternetGatewayId: gateway},
		"DependencyViolation: The internetGateway '"+*gateway+"' has dependencies and cannot be deleted.")
	wantError(c, c.DeleteSecurityGroup, &ec2.DeleteSecurityGroupInput{GroupId: &web},
		"DependencyViolation: resource "+web+" has a dependent object")

	do(c, c.DeleteSecurityGroup, &ec2.DeleteSecurityGroupInput{GroupId: &app})
	do(c, c.DeleteSecurityGroup, &ec2.DeleteSecurityGroupInput{GroupId: &web})
	for _, subnet := range subnets {
		do(c, c.DeleteSubnet, &ec2.DeleteSubnetInput{SubnetId: &subnet})
	}
	do(c, c.DeleteRouteTable, &ec2.DeleteRouteTableInput{RouteTableId: table})
	do(c, c.DetachInternetGateway, &ec2.DetachInternetGatewayInput{InternetGatewayId: gateway, VpcId: vpc.VpcId})
	do(c, c.DeleteInternetGateway, &ec2.DeleteInternetGatewayInput{InternetGatewayId: gateway})
	do(c, c.DeleteVpc, &ec2.DeleteVpcInput{VpcId: vpc.VpcId})
	do(c, c.DeleteKeyPair, &ec2.DeleteKeyPairInput{KeyName: aws.String("tutorial")})
	if diff := cmp.Diff(before, c.rows()); diff != "" {
		t.Errorf("left behind: %s", diff)
	}
}
