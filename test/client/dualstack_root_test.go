//go:build linux && root

package client

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/miekg/dns"

	"aloft.dev/aloft/internal/cloud/plane/network"
	"aloft.dev/aloft/test/program"
)

// checkDualstack asserts that a machine reaches a dualstack load balancer at the IPv6 addresses
// of its name, and through it a target of IPv6, as long as the load balancer's group and its IP
// address type let it. The machines have the addresses given and are in the group.
func (c natCloud) checkDualstack(client, target string, addresses []string, group string) {
	c.t.Helper()
	const port = 8081
	c.tellForwarded(target, netip.AddrPortFrom(netip.MustParseAddr(addresses[1]), port))
	ctx, api := c.t.Context(), c.API.ELB
	vpc := c.instance(client).VpcId
	front := want[ec2.CreateSecurityGroupOutput](c.t)(c.API.EC2.CreateSecurityGroup(ctx, &ec2.CreateSecurityGroupInput{
		GroupName: aws.String("front"), Description: aws.String("front"), VpcId: vpc,
	})).GroupId
	c.admit(group, port, types.IpPermission{UserIdGroupPairs: []types.UserIdGroupPair{{GroupId: front}}})
	fromClient := types.IpPermission{Ipv6Ranges: []types.Ipv6Range{{CidrIpv6: aws.String(addresses[0] + "/128")}}}
	c.admit(*front, 80, fromClient)

	lb := want[elb.CreateLoadBalancerOutput](c.t)(api.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{
		Name: aws.String("dual"), SecurityGroups: []string{*front},
		Scheme:        elbtypes.LoadBalancerSchemeEnumInternal,
		Subnets:       []string{*c.instance(client).SubnetId, *c.instance(target).SubnetId},
		IpAddressType: elbtypes.IpAddressTypeDualstack,
	})).LoadBalancers[0]
	targets := want[elb.CreateTargetGroupOutput](c.t)(api.CreateTargetGroup(ctx, &elb.CreateTargetGroupInput{
		Name: aws.String("six"), Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(port), VpcId: vpc,
		TargetType: elbtypes.TargetTypeEnumIp, IpAddressType: elbtypes.TargetGroupIpAddressTypeEnumIpv6,
		HealthCheckIntervalSeconds: aws.Int32(5), HealthCheckTimeoutSeconds: aws.Int32(2),
		HealthyThresholdCount: aws.Int32(2),
	})).TargetGroups[0].TargetGroupArn
	want[elb.RegisterTargetsOutput](c.t)(api.RegisterTargets(ctx, &elb.RegisterTargetsInput{
		TargetGroupArn: targets, Targets: []elbtypes.TargetDescription{{Id: &addresses[1]}},
	}))
	want[elb.CreateListenerOutput](c.t)(api.CreateListener(ctx, &elb.CreateListenerInput{
		LoadBalancerArn: lb.LoadBalancerArn, Port: aws.Int32(80), Protocol: elbtypes.ProtocolEnumHttp,
		DefaultActions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: targets}},
	}))
	nodes := c.lookUp(client, *lb.DNSName, dns.TypeAAAA)
	if len(nodes) != 2 {
		c.t.Fatalf("the load balancer has the IPv6 addresses %q", nodes)
	}
	at := func(address string) string { return net.JoinHostPort(address, "80") }
	program.Eventually(c.t, program.Patience, "the target answers through the load balancer", func() bool {
		from := "from " + addresses[0]
		return c.fetch(client, at(nodes[0])) == from && c.fetch(client, at(nodes[1])) == from
	})
	for _, v4 := range c.lookUp(client, *lb.DNSName, dns.TypeA) {
		if got := c.fetch(client, at(v4)); got != "" {
			c.t.Errorf("a rule for IPv6 admits a client of IPv4: %q", got)
		}
	}

	want[ec2.RevokeSecurityGroupIngressOutput](c.t)(
		c.API.EC2.RevokeSecurityGroupIngress(ctx, &ec2.RevokeSecurityGroupIngressInput{
			GroupId: front, IpPermissions: []types.IpPermission{onPort(80, fromClient)},
		}))
	program.Eventually(c.t, program.Patience, "the load balancer's group stops the client", func() bool {
		return c.fetch(client, at(nodes[0])) == ""
	})
	c.admit(*front, 80, types.IpPermission{IpRanges: []types.IpRange{{CidrIp: aws.String("0.0.0.0/0")}}})
	c.admit(*front, 80, fromClient)
	program.Eventually(c.t, program.Patience, "the target answers a client of IPv4", func() bool {
		return strings.HasPrefix(c.fetch(client, at(c.lookUp(client, *lb.DNSName, dns.TypeA)[0])), "from 172.31.")
	})
	want[elb.DeleteLoadBalancerOutput](c.t)(
		api.DeleteLoadBalancer(ctx, &elb.DeleteLoadBalancerInput{LoadBalancerArn: lb.LoadBalancerArn}))
	program.Eventually(c.t, program.Patience, "the addresses are gone", func() bool {
		return c.fetch(client, at(nodes[0])) == ""
	})
}

// onPort returns a permission for a port of TCP.
func onPort(port int32, permission types.IpPermission) types.IpPermission {
	permission.IpProtocol, permission.FromPort, permission.ToPort = aws.String("tcp"), &port, &port
	return permission
}

// admit lets a group admit what a permission says to a port.
func (c natCloud) admit(group string, port int32, permission types.IpPermission) {
	c.t.Helper()
	want[ec2.AuthorizeSecurityGroupIngressOutput](c.t)(
		c.API.EC2.AuthorizeSecurityGroupIngress(c.t.Context(), &ec2.AuthorizeSecurityGroupIngressInput{
			GroupId: &group, IpPermissions: []types.IpPermission{onPort(port, permission)},
		}))
}

// tellForwarded serves HTTP at an address of a machine and answers where requests were forwarded
// from, or where they come from.
func (c natCloud) tellForwarded(id string, at netip.AddrPort) {
	c.t.Helper()
	listener, err := network.ListenIn(c.namespace(id), at)
	if err != nil {
		c.t.Fatal(err)
	}
	server := &http.Server{
		ReadHeaderTimeout: program.Patience,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			peer, _, _ := net.SplitHostPort(r.RemoteAddr)
			_, _ = fmt.Fprint(w, "from ", cmp.Or(r.Header.Get("X-Forwarded-For"), peer))
		}),
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(listener) }()
	c.t.Cleanup(func() { _ = server.Close(); <-done })
}

// fetch returns what a server answers a machine, or an empty text if it does not.
func (c natCloud) fetch(id, address string) string {
	client := http.Client{Timeout: 2 * silence, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
			return network.DialIn(ctx, c.namespace(id), netip.MustParseAddrPort(address))
		},
	}}
	response, err := client.Get("http://" + address)
	if err != nil {
		return ""
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		return ""
	}
	return string(body)
}

// lookUp returns the addresses that the resolver knows for a name, as a machine asks it over TCP.
func (c natCloud) lookUp(id, name string, kind uint16) (addresses []string) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 10*time.Second)
	defer cancel()
	conn, err := network.DialIn(ctx, c.namespace(id), netip.MustParseAddrPort("169.254.169.253:53"))
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	question := new(dns.Msg).SetQuestion(dns.Fqdn(name), kind)
	answer, _, err := new(dns.Client).ExchangeWithConnContext(ctx, question, &dns.Conn{Conn: conn})
	if err != nil {
		c.t.Fatal(err)
	}
	for _, record := range answer.Answer {
		switch record := record.(type) {
		case *dns.A:
			addresses = append(addresses, record.A.String())
		case *dns.AAAA:
			addresses = append(addresses, record.AAAA.String())
		}
	}
	return addresses
}
