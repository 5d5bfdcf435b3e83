//go:build linux && root

package client

import (
	"net"
	"net/netip"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/miekg/dns"

	"aloft.dev/aloft/test/program"
)

// createDualstackNetwork creates a dualstack Network Load Balancer with a listener for targets of
// each family. The function that it returns asserts that a machine reaches both over both families:
// targets see its address if it is of their family, and otherwise that of a node.
func (c natCloud) createDualstackNetwork(client, target string, addresses []string, group string) func() {
	c.t.Helper()
	const port = 8082
	ctx, api := c.t.Context(), c.API.ELB
	own, v4 := c.instance(client), *c.instance(target).PrivateIpAddress
	targets := map[elbtypes.TargetGroupIpAddressTypeEnum]string{"ipv4": v4, "ipv6": addresses[1]}
	c.admit(group, port, types.IpPermission{
		IpRanges:   []types.IpRange{{CidrIp: aws.String("172.31.0.0/16")}},
		Ipv6Ranges: []types.Ipv6Range{{CidrIpv6: aws.String("::/0")}},
	})
	lb := want[elb.CreateLoadBalancerOutput](c.t)(api.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{
		Name: aws.String("dual-net"), Type: elbtypes.LoadBalancerTypeEnumNetwork,
		Scheme:        elbtypes.LoadBalancerSchemeEnumInternal,
		Subnets:       []string{*own.SubnetId, *c.instance(target).SubnetId},
		IpAddressType: elbtypes.IpAddressTypeDualstack,
	})).LoadBalancers[0]
	ports := map[elbtypes.TargetGroupIpAddressTypeEnum]int32{"ipv4": 80, "ipv6": 81}
	for family, address := range targets {
		c.tellForwarded(target, netip.AddrPortFrom(netip.MustParseAddr(address), port))
		created := want[elb.CreateTargetGroupOutput](c.t)(api.CreateTargetGroup(ctx, &elb.CreateTargetGroupInput{
			Name: aws.String("net-" + string(family)), Protocol: elbtypes.ProtocolEnumTcp, Port: aws.Int32(port),
			VpcId: own.VpcId, TargetType: elbtypes.TargetTypeEnumIp, IpAddressType: family,
			HealthCheckIntervalSeconds: aws.Int32(5), HealthCheckTimeoutSeconds: aws.Int32(5),
			HealthyThresholdCount: aws.Int32(2),
		})).TargetGroups[0].TargetGroupArn
		want[elb.ModifyTargetGroupAttributesOutput](c.t)(
			api.ModifyTargetGroupAttributes(ctx, &elb.ModifyTargetGroupAttributesInput{
				TargetGroupArn: created, Attributes: []elbtypes.TargetGroupAttribute{
					{Key: aws.String("preserve_client_ip.enabled"), Value: aws.String("true")},
				},
			}))
		want[elb.RegisterTargetsOutput](c.t)(api.RegisterTargets(ctx, &elb.RegisterTargetsInput{
			TargetGroupArn: created, Targets: []elbtypes.TargetDescription{{Id: &address}},
		}))
		want[elb.CreateListenerOutput](c.t)(api.CreateListener(ctx, &elb.CreateListenerInput{
			LoadBalancerArn: lb.LoadBalancerArn, Port: aws.Int32(ports[family]), Protocol: elbtypes.ProtocolEnumTcp,
			DefaultActions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: created}},
		}))
	}
	return func() {
		c.t.Helper()
		var all4, all6 []string
		program.Eventually(c.t, program.Patience, "the name leads to the node in the targets' zone alone", func() bool {
			all4, all6 = c.lookUp(client, *lb.DNSName, dns.TypeA), c.lookUp(client, *lb.DNSName, dns.TypeAAAA)
			return len(all4) == 1 && len(all6) == 1
		})
		near4, near6 := all4[0], all6[0]
		for _, at := range []struct{ address, from string }{
			{net.JoinHostPort(near4, "80"), "from " + *own.PrivateIpAddress},
			{net.JoinHostPort(near6, "81"), "from " + addresses[0]},
			{net.JoinHostPort(near6, "80"), "from 172.31."},
			{net.JoinHostPort(near4, "81"), "from 2001:db8:"},
		} {
			program.Eventually(c.t, program.Patience, at.address+" answers "+at.from, func() bool {
				return strings.HasPrefix(c.fetch(client, at.address), at.from)
			})
		}
		want[elb.DeleteLoadBalancerOutput](c.t)(
			api.DeleteLoadBalancer(ctx, &elb.DeleteLoadBalancerInput{LoadBalancerArn: lb.LoadBalancerArn}))
	}
}
