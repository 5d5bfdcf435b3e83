//go:build linux && root

package client

import (
	"net/netip"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/plane/network"
	"aloft.dev/aloft/test/program"
)

// giveIPv6 gives the default VPC, the subnets of two machines and the machines that run IPv6, and
// returns the machines' addresses.
func (c natCloud) giveIPv6(machines ...string) (addresses []string) {
	c.t.Helper()
	ctx, api := c.t.Context(), c.API.EC2
	vpc := c.instance(machines[0]).VpcId
	block := netip.MustParsePrefix(*want[ec2.AssociateVpcCidrBlockOutput](c.t)(
		api.AssociateVpcCidrBlock(ctx, &ec2.AssociateVpcCidrBlockInput{
			VpcId: vpc, AmazonProvidedIpv6CidrBlock: aws.Bool(true),
		})).Ipv6CidrBlockAssociation.Ipv6CidrBlock)
	for i, id := range machines {
		machine := c.instance(id)
		of := block.Addr().As16()
		of[7] = byte(i + 1)
		own := netip.PrefixFrom(netip.AddrFrom16(of), 64).String()
		want[ec2.AssociateSubnetCidrBlockOutput](c.t)(
			api.AssociateSubnetCidrBlock(ctx, &ec2.AssociateSubnetCidrBlockInput{
				SubnetId: machine.SubnetId, Ipv6CidrBlock: &own,
			}))
		addresses = append(addresses, want[ec2.AssignIpv6AddressesOutput](c.t)(
			api.AssignIpv6Addresses(ctx, &ec2.AssignIpv6AddressesInput{
				NetworkInterfaceId: machine.NetworkInterfaces[0].NetworkInterfaceId, Ipv6AddressCount: aws.Int32(1),
			})).AssignedIpv6Addresses...)
	}
	return addresses
}

// checkIPv6 asserts that two machines reach each other over IPv6 until a network ACL stops them, and
// that the host reaches the outer one, whose subnet has the main route table, when a route and a rule
// of its group let it.
func (c natCloud) checkIPv6(inner, outer, group string) {
	c.t.Helper()
	if !network.HasIPv6() {
		return
	}
	ctx, api := c.t.Context(), c.API.EC2
	addresses := c.giveIPv6(inner, outer)
	ssh := "[" + addresses[1] + "]:22"
	reaches := func(namespace string) bool { return strings.HasPrefix(c.ask(namespace, ssh), "SSH-") }
	program.Eventually(c.t, program.Patience, "machines reach each other over IPv6", func() bool {
		return reaches(c.namespace(inner)) // their group admits its members
	})
	checkNetwork := c.createDualstackNetwork(inner, outer, addresses, group)
	c.checkDualstack(inner, outer, addresses, group)
	checkNetwork()
	if got := c.metadata(outer, "ipv6"); got != addresses[1] {
		c.t.Errorf("the metadata has the IPv6 address %q", got)
	}
	ofSubnet := types.Filter{Name: aws.String("association.subnet-id"), Values: []string{*c.instance(outer).SubnetId}}
	acls := want[ec2.DescribeNetworkAclsOutput](c.t)(api.DescribeNetworkAcls(ctx, &ec2.DescribeNetworkAclsInput{
		Filters: []types.Filter{ofSubnet},
	})).NetworkAcls
	deny := &ec2.CreateNetworkAclEntryInput{
		NetworkAclId: acls[0].NetworkAclId, RuleNumber: aws.Int32(50), Egress: aws.Bool(false),
		Protocol: aws.String("6"), RuleAction: types.RuleActionDeny, Ipv6CidrBlock: aws.String(addresses[0] + "/128"),
		PortRange: &types.PortRange{From: aws.Int32(22), To: aws.Int32(22)},
	}
	want[ec2.CreateNetworkAclEntryOutput](c.t)(api.CreateNetworkAclEntry(ctx, deny))
	program.Eventually(c.t, program.Patience, "a network ACL stops them", func() bool {
		return !reaches(c.namespace(inner))
	})

	const hostNamespace = "/proc/self/ns/net"
	tables := want[ec2.DescribeRouteTablesOutput](c.t)(api.DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{
		Filters: []types.Filter{{Name: aws.String("association.main"), Values: []string{"true"}}},
	})).RouteTables
	gateways := want[ec2.DescribeInternetGatewaysOutput](c.t)(
		api.DescribeInternetGateways(ctx, &ec2.DescribeInternetGatewaysInput{})).InternetGateways
	want[ec2.CreateRouteOutput](c.t)(api.CreateRoute(ctx, &ec2.CreateRouteInput{
		RouteTableId: tables[0].RouteTableId, DestinationIpv6CidrBlock: aws.String("::/0"),
		GatewayId: gateways[0].InternetGatewayId,
	}))
	if reaches(hostNamespace) {
		c.t.Error("the host reaches a machine whose group does not admit it")
	}
	want[ec2.AuthorizeSecurityGroupIngressOutput](c.t)(
		api.AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{
			GroupId: &group, IpPermissions: []types.IpPermission{{
				IpProtocol: aws.String("tcp"), FromPort: aws.Int32(22), ToPort: aws.Int32(22),
				Ipv6Ranges: []types.Ipv6Range{{CidrIpv6: aws.String("::/0")}},
			}},
		}))
	program.Eventually(c.t, program.Patience, "the host reaches the machine over IPv6", func() bool {
		return reaches(hostNamespace)
	})
	c.checkIPv6Only(outer, addresses[1])
}
