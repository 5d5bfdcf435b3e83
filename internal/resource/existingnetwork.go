package resource

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"golang.org/x/sync/errgroup"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

type vpcEndpointAPI interface {
	DescribeVpcEndpoints(
		context.Context, *ec2.DescribeVpcEndpointsInput, ...func(*ec2.Options),
	) (*ec2.DescribeVpcEndpointsOutput, error)
}

// ExistingNetwork reads a VPC that existed before the application, with some of its subnets.
// found are the application's resources. It changes nothing.
func (c *Cloud) ExistingNetwork(
	ctx context.Context, vpc string, subnets []string, found []plan.Found,
) (*stack.ExistingNetwork, error) {
	n := &stack.ExistingNetwork{ID: vpc}
	var serving []string // subnets of the load balancer
	for _, f := range found {
		switch f.Kind {
		case stack.KindLoadBalancer:
			serving = f.Values(stack.AttrSubnets)
		case stack.KindConnectEndpoint:
			n.OwnEndpoint = true
		}
	}
	group, reading := errgroup.WithContext(ctx)
	group.Go(func() error { return c.readVPC(reading, n) })
	group.Go(func() error { return c.readSubnets(reading, n, subnets, serving) })
	group.Go(func() error { return c.readEndpoints(reading, n) })
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return n, c.readServices(ctx, n)
}

// readVPC reads whether the VPC can be used, and its attributes.
func (c *Cloud) readVPC(ctx context.Context, n *stack.ExistingNetwork) error {
	list, err := c.EC2.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{Filters: []types.Filter{awsapi.Filter("vpc-id", n.ID)}})
	if err != nil {
		return awsapi.Wrap("read VPC "+n.ID, err)
	}
	if len(list.Vpcs) == 0 || list.Vpcs[0].State != types.VpcStateAvailable {
		return nil
	}
	n.Available = true
	if n.DNSNames, err = c.hasDNSHostnames(ctx, n.ID); err != nil {
		return err
	}
	out, err := c.EC2.DescribeVpcAttribute(ctx, &ec2.DescribeVpcAttributeInput{
		VpcId: &n.ID, Attribute: types.VpcAttributeNameEnableDnsSupport,
	})
	if err != nil {
		return awsapi.Wrap("read the DNS support attribute of VPC "+n.ID, err)
	}
	n.DNSSupport = out.EnableDnsSupport != nil && aws.ToBool(out.EnableDnsSupport.Value)
	return nil
}

// readSubnets reads subnets with their routes, and the zones of those of the load balancer.
func (c *Cloud) readSubnets(ctx context.Context, n *stack.ExistingNetwork, ids, serving []string) error {
	list, err := collect(
		ctx,
		ec2.NewDescribeSubnetsPaginator(c.EC2, &ec2.DescribeSubnetsInput{
			Filters: []types.Filter{awsapi.Filter("subnet-id", slices.Concat(ids, serving)...)},
		}),
		func(page *ec2.DescribeSubnetsOutput) []types.Subnet { return page.Subnets },
	)
	if err != nil {
		return awsapi.Wrap("read the subnets of VPC "+n.ID, err)
	}
	tables, err := collect(
		ctx,
		ec2.NewDescribeRouteTablesPaginator(c.EC2, &ec2.DescribeRouteTablesInput{
			Filters: []types.Filter{awsapi.Filter("vpc-id", n.ID)},
		}),
		func(page *ec2.DescribeRouteTablesOutput) []types.RouteTable { return page.RouteTables },
	)
	if err != nil {
		return awsapi.Wrap("read the route tables of VPC "+n.ID, err)
	}
	for _, s := range list {
		id := aws.ToString(s.SubnetId)
		if slices.Contains(serving, id) {
			n.Serving = append(n.Serving, aws.ToString(s.AvailabilityZone))
		}
		if slices.Contains(ids, id) {
			n.Subnets = append(n.Subnets, existingSubnet(s, tables))
		}
	}
	slices.Sort(n.Serving)
	return nil
}

// existingSubnet describes a subnet with the default route of its table: that which it is
// associated with, or else the main one of its VPC.
func existingSubnet(s types.Subnet, tables []types.RouteTable) stack.ExistingSubnet {
	out := stack.ExistingSubnet{
		ID: aws.ToString(s.SubnetId), VPC: aws.ToString(s.VpcId), Zone: aws.ToString(s.AvailabilityZone),
		Free: int(aws.ToInt32(s.AvailableIpAddressCount)),
	}
	out.CIDR, _ = netip.ParsePrefix(aws.ToString(s.CidrBlock)) // AWS returns a block
	var own, main *types.RouteTable
	for i, t := range tables {
		for _, a := range t.Associations {
			switch {
			case aws.ToString(a.SubnetId) == out.ID:
				own = &tables[i]
			case aws.ToBool(a.Main):
				main = &tables[i]
			}
		}
	}
	table := cmp.Or(own, main)
	if table == nil {
		return out
	}
	out.RouteTable = aws.ToString(table.RouteTableId)
	for _, r := range table.Routes {
		if aws.ToString(r.DestinationCidrBlock) == defaultRoute {
			out.Blackhole = r.State == types.RouteStateBlackhole
			out.WayOut = cmp.Or(
				aws.ToString(r.GatewayId), aws.ToString(r.NatGatewayId), aws.ToString(r.TransitGatewayId),
				aws.ToString(r.NetworkInterfaceId), aws.ToString(r.VpcPeeringConnectionId),
				aws.ToString(r.LocalGatewayId), aws.ToString(r.CarrierGatewayId), aws.ToString(r.CoreNetworkArn),
			)
		}
	}
	return out
}

// readEndpoints reads the EC2 Instance Connect Endpoints of the VPC that are not the
// application's, with the outbound rules of their groups.
func (c *Cloud) readEndpoints(ctx context.Context, n *stack.ExistingNetwork) error {
	list, err := c.endpointsOf(ctx, n.ID)
	if err != nil {
		return err
	}
	for _, e := range list {
		app := tagValue(e.Tags, stack.TagApp)
		if app == c.App || e.State == types.Ec2InstanceConnectEndpointStateDeleteComplete {
			continue
		}
		out := stack.ExistingEndpoint{
			ID: aws.ToString(e.InstanceConnectEndpointId), DNSName: aws.ToString(e.DnsName), State: string(e.State),
			Subnet: aws.ToString(e.SubnetId), App: app, Groups: slices.Sorted(slices.Values(e.SecurityGroupIds)),
			KeepsAddress: aws.ToBool(e.PreserveClientIp),
		}
		if len(out.Groups) > 0 {
			groups, err := c.EC2.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{GroupIds: out.Groups})
			if err != nil {
				return awsapi.Wrap("read the security groups of "+out.ID, err)
			}
			for _, g := range groups.SecurityGroups {
				out.Outbound = append(out.Outbound, rulesOf(g.IpPermissionsEgress, true)...)
			}
		}
		n.Endpoints = append(n.Endpoints, out)
	}
	return nil
}

// endpointsOf returns the EC2 Instance Connect Endpoints of a VPC.
func (c *Cloud) endpointsOf(ctx context.Context, vpc string) ([]types.Ec2InstanceConnectEndpoint, error) {
	list, err := collect(
		ctx,
		ec2.NewDescribeInstanceConnectEndpointsPaginator(c.EC2, &ec2.DescribeInstanceConnectEndpointsInput{
			Filters: []types.Filter{awsapi.Filter("vpc-id", vpc)},
		}),
		func(page *ec2.DescribeInstanceConnectEndpointsOutput) []types.Ec2InstanceConnectEndpoint {
			return page.InstanceConnectEndpoints
		},
	)
	return list, awsapi.Wrap("list the EC2 Instance Connect Endpoints of "+vpc, err)
}

// readServices reads which services of AWS the VPC's interface endpoints offer under their own
// names, if a subnet has no other way to them. A cloud without such endpoints offers none.
func (c *Cloud) readServices(ctx context.Context, n *stack.ExistingNetwork) error {
	if !slices.ContainsFunc(n.Subnets, func(s stack.ExistingSubnet) bool { return s.WayOut == "" }) {
		return nil
	}
	list, err := collect(
		ctx,
		ec2.NewDescribeVpcEndpointsPaginator(c.EC2, &ec2.DescribeVpcEndpointsInput{
			Filters: []types.Filter{awsapi.Filter("vpc-id", n.ID)},
		}),
		func(page *ec2.DescribeVpcEndpointsOutput) []types.VpcEndpoint { return page.VpcEndpoints },
	)
	if awsapi.IsUnsupported(err) {
		return nil
	}
	for _, e := range list {
		name := aws.ToString(e.ServiceName) // "com.amazonaws.us-east-1.ssm"
		usable := e.State == types.StateAvailable && e.VpcEndpointType == types.VpcEndpointTypeInterface
		if usable && aws.ToBool(e.PrivateDnsEnabled) {
			n.Services = append(n.Services, name[strings.LastIndexByte(name, '.')+1:])
		}
	}
	return awsapi.Wrap("list the endpoints of VPC "+n.ID, err)
}
