//go:build linux && root

package client

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/test/program"
)

// intercept leads what enters the VPC for the machine inside a private subnet, and its way back, to another
// machine, which passes it on. The route table of the private subnet gets its routes back.
func (c natCloud) intercept(t *testing.T, inside, between, privateTable string) {
	t.Helper()
	ctx, api := t.Context(), c.API.EC2
	appliance, vpc := c.instance(between), c.instance(inside).VpcId
	gateway := want[ec2.DescribeInternetGatewaysOutput](t)(
		api.DescribeInternetGateways(ctx, &ec2.DescribeInternetGatewaysInput{
			Filters: []types.Filter{{Name: aws.String("attachment.vpc-id"), Values: []string{*vpc}}},
		})).InternetGateways[0].InternetGatewayId
	check := func(on bool) {
		want[ec2.ModifyInstanceAttributeOutput](t)(api.ModifyInstanceAttribute(ctx, &ec2.ModifyInstanceAttributeInput{
			InstanceId: &between, SourceDestCheck: &types.AttributeBooleanValue{Value: &on},
		}))
	}
	check(false)
	c.run(between, "sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward")
	c.run(between, "nft", "add table ip seen; add counter ip seen in; "+
		"add chain ip seen forward { type filter hook forward priority 0; }; "+
		"add rule ip seen forward ip daddr 172.31.200.0/24 counter name in")
	table := want[ec2.CreateRouteTableOutput](t)(
		api.CreateRouteTable(ctx, &ec2.CreateRouteTableInput{VpcId: vpc})).RouteTable.RouteTableId
	association := want[ec2.AssociateRouteTableOutput](t)(
		api.AssociateRouteTable(ctx, &ec2.AssociateRouteTableInput{RouteTableId: table, GatewayId: gateway}))
	everything := aws.String("0.0.0.0/0")
	for _, route := range []*ec2.CreateRouteInput{
		{RouteTableId: table, DestinationCidrBlock: aws.String("172.31.200.0/24"), InstanceId: &between},
		{RouteTableId: &privateTable, DestinationCidrBlock: everything,
			NetworkInterfaceId: appliance.NetworkInterfaces[0].NetworkInterfaceId},
	} {
		want[ec2.CreateRouteOutput](t)(api.CreateRoute(ctx, route))
	}
	allocation, public := c.elasticIP()
	associated := want[ec2.AssociateAddressOutput](t)(
		api.AssociateAddress(ctx, &ec2.AssociateAddressInput{AllocationId: &allocation, InstanceId: &inside}))
	const hostNamespace = "/proc/self/ns/net"
	program.Eventually(t, program.Patience, "the host reaches the private subnet through the machine", func() bool {
		return c.ask(hostNamespace, public+":8080") != ""
	})
	if counters := c.run(between, "nft", "list", "counters"); strings.Contains(counters, "packets 0 ") {
		t.Errorf("no packet passed the machine:\n%s", counters)
	}
	check(true)
	program.Eventually(t, program.Patience, "the machine passes nothing on", func() bool {
		return c.ask(hostNamespace, public+":8080") == ""
	})

	want[ec2.DisassociateAddressOutput](t)(
		api.DisassociateAddress(ctx, &ec2.DisassociateAddressInput{AssociationId: associated.AssociationId}))
	want[ec2.ReleaseAddressOutput](t)(api.ReleaseAddress(ctx, &ec2.ReleaseAddressInput{AllocationId: &allocation}))
	want[ec2.DeleteRouteOutput](t)(api.DeleteRoute(ctx, &ec2.DeleteRouteInput{
		RouteTableId: &privateTable, DestinationCidrBlock: everything,
	}))
	want[ec2.DisassociateRouteTableOutput](t)(
		api.DisassociateRouteTable(ctx, &ec2.DisassociateRouteTableInput{AssociationId: association.AssociationId}))
	want[ec2.DeleteRouteTableOutput](t)(api.DeleteRouteTable(ctx, &ec2.DeleteRouteTableInput{RouteTableId: table}))
}
