package ec2

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

func TestAGatewayEndpointIsARouteToTheServicesPrefixList(t *testing.T) {
	c := newCloud(t)
	vpc := c.vpc("10.0.0.0/16")
	table := *do(c, c.CreateRouteTable, &ec2.CreateRouteTableInput{VpcId: &vpc}).RouteTable.RouteTableId
	service := do(c, c.DescribeVpcEndpointServices, &ec2.DescribeVpcEndpointServicesInput{
		Filters: []types.Filter{filter("service-type", "Gateway")},
	}).ServiceNames[0]
	create := &ec2.CreateVpcEndpointInput{VpcId: &vpc, ServiceName: &service, RouteTableIds: []string{table}}
	created := do(c, c.CreateVpcEndpoint, create).VpcEndpoint
	if created.State != "available" || *created.PolicyDocument != openPolicy {
		t.Errorf("got %+v", created)
	}
	list := do(c, c.DescribePrefixLists, &ec2.DescribePrefixListsInput{
		Filters: []types.Filter{filter("prefix-list-name", service)},
	}).PrefixLists[0]
	route := func() []types.Route {
		return do(c, c.DescribeRouteTables, &ec2.DescribeRouteTablesInput{RouteTableIds: []string{table}}).
			RouteTables[0].Routes[1:]
	}
	if got := route(); len(got) != 1 || *got[0].DestinationPrefixListId != *list.PrefixListId ||
		*got[0].GatewayId != *created.VpcEndpointId || got[0].State != types.RouteStateActive ||
		got[0].DestinationCidrBlock != nil {
		t.Errorf("routes %+v", got)
	}
	if _, err := c.CreateVpcEndpoint(c.ctx, create); code(err) != "RouteAlreadyExists" {
		t.Errorf("a second endpoint: %v", err)
	}
	if _, err := c.DeleteRoute(c.ctx, &ec2.DeleteRouteInput{
		RouteTableId: &table, DestinationPrefixListId: list.PrefixListId,
	}); code(err) != "InvalidParameterValue" {
		t.Errorf("deleting the route: %v", err)
	}
	do(c, c.ModifyVpcEndpoint, &ec2.ModifyVpcEndpointInput{
		VpcEndpointId: created.VpcEndpointId, RemoveRouteTableIds: []string{table},
	})
	if got := route(); len(got) != 0 {
		t.Errorf("without the endpoint: %+v", got)
	}
	do(c, c.ModifyVpcEndpoint, &ec2.ModifyVpcEndpointInput{
		VpcEndpointId: created.VpcEndpointId, AddRouteTableIds: []string{table},
	})
	if _, err := c.DeleteVpc(c.ctx, &ec2.DeleteVpcInput{VpcId: &vpc}); code(err) != "DependencyViolation" {
		t.Errorf("deleting the VPC: %v", err)
	}
	deleted := do(c, c.DeleteVpcEndpoints, &ec2.DeleteVpcEndpointsInput{
		VpcEndpointIds: []string{*created.VpcEndpointId, "vpce-0123456789abcdef0"},
	})
	if len(deleted.Unsuccessful) != 1 || *deleted.Unsuccessful[0].Error.Code != "InvalidVpcEndpointId.NotFound" ||
		len(route()) != 0 {
		t.Errorf("got %+v, routes %+v", deleted.Unsuccessful, route())
	}
}

func TestEndpointsThatCarryNothingAreRefusedByName(t *testing.T) {
	c := newCloud(t)
	vpc := c.vpc("10.0.0.0/16")
	in := ec2.CreateVpcEndpointInput{VpcId: &vpc, ServiceName: aws.String("com.amazonaws.us-east-1.s3")}
	facing := in
	facing.VpcEndpointType = types.VpcEndpointTypeInterface
	restricted := in
	restricted.PolicyDocument = aws.String(strings.Replace(openPolicy, "Allow", "Deny", 1))
	unknown := in
	unknown.ServiceName = aws.String("com.amazonaws.us-east-1.sqs")
	for want, input := range map[string]*ec2.CreateVpcEndpointInput{
		"UnsupportedOperation: aloft's local cloud does not support the parameter vpcEndpointType":  &facing,
		"UnsupportedOperation: aloft's local cloud does not support the parameter policyDocument":   &restricted,
		"InvalidServiceName: The Vpc Endpoint Service 'com.amazonaws.us-east-1.sqs' does not exist": &unknown,
	} {
		wantError(c, c.CreateVpcEndpoint, input, want)
	}
	c.Simulated = true
	do(c, c.CreateVpcEndpoint, &restricted)
}

func TestRoutesLeadToPrefixLists(t *testing.T) {
	c := newCloud(t)
	vpc := c.vpc("10.0.0.0/16")
	gateway := do(c, c.CreateInternetGateway, &ec2.CreateInternetGatewayInput{}).InternetGateway.InternetGatewayId
	do(c, c.AttachInternetGateway, &ec2.AttachInternetGatewayInput{VpcId: &vpc, InternetGatewayId: gateway})
	table := do(c, c.CreateRouteTable, &ec2.CreateRouteTableInput{VpcId: &vpc}).RouteTable.RouteTableId
	list := do(c, c.CreateManagedPrefixList, &ec2.CreateManagedPrefixListInput{
		PrefixListName: aws.String("office"), AddressFamily: aws.String("IPv4"), MaxEntries: aws.Int32(3),
		Entries: []types.AddPrefixListEntry{{Cidr: aws.String("192.0.2.0/24")}},
	}).PrefixList.PrefixListId
	do(c, c.CreateRoute, &ec2.CreateRouteInput{
		RouteTableId: table, DestinationPrefixListId: list, GatewayId: gateway,
	})
	if _, err := c.DeleteManagedPrefixList(c.ctx, &ec2.DeleteManagedPrefixListInput{
		PrefixListId: list,
	}); code(err) != "DependencyViolation" {
		t.Errorf("deleting the list: %v", err)
	}
	do(c, c.DeleteRoute, &ec2.DeleteRouteInput{RouteTableId: table, DestinationPrefixListId: list})
	do(c, c.DeleteManagedPrefixList, &ec2.DeleteManagedPrefixListInput{PrefixListId: list})
}
