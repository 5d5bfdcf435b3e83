// Package inventory reads what stands in a region: networks, machines and load balancers,
// as AWS describes them.
package inventory

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"golang.org/x/sync/errgroup"
)

// Inventory lists the resources of a region. Nobody changes it after it was read.
type Inventory struct {
	Region           string
	VPCs             []types.Vpc
	Subnets          []types.Subnet
	RouteTables      []types.RouteTable
	InternetGateways []types.InternetGateway
	NATGateways      []types.NatGateway
	SecurityGroups   []types.SecurityGroup
	Rules            []types.SecurityGroupRule // of SecurityGroups
	NetworkACLs      []types.NetworkAcl
	Interfaces       []types.NetworkInterface
	Instances        []types.Instance
	Endpoints        []types.Ec2InstanceConnectEndpoint
	LoadBalancers    []LoadBalancer
	TargetGroups     []TargetGroup
}

// LoadBalancer is a load balancer with its listeners.
type LoadBalancer struct {
	elbtypes.LoadBalancer

	Listeners []Listener
}

// Listener is a listener with its rules. The default actions are those of the last rule.
type Listener struct {
	elbtypes.Listener

	Rules []elbtypes.Rule
}

// TargetGroup is a target group with its targets.
type TargetGroup struct {
	elbtypes.TargetGroup

	Targets []elbtypes.TargetHealthDescription
}

// Source is where an inventory is read from.
type Source struct {
	Region string
	EC2    *ec2.Client
	ELB    *elb.Client
}

// maxCalls is how many calls are made at once.
const maxCalls = 8

// Read reads the inventory of a region.
func Read(ctx context.Context, from Source) (*Inventory, error) {
	inventory := &Inventory{Region: from.Region}
	calls, ctx := errgroup.WithContext(ctx)
	calls.SetLimit(maxCalls)
	for _, call := range []func(context.Context) error{
		func(ctx context.Context) error { return inventory.readNetworks(ctx, from.EC2) },
		func(ctx context.Context) error { return inventory.readGateways(ctx, from.EC2) },
		func(ctx context.Context) error { return inventory.readFirewalls(ctx, from.EC2) },
		func(ctx context.Context) error { return inventory.readMachines(ctx, from.EC2) },
		func(ctx context.Context) error { return inventory.readLoadBalancers(ctx, from.ELB) },
		func(ctx context.Context) error { return inventory.readTargetGroups(ctx, from.ELB) },
	} {
		calls.Go(func() error { return call(ctx) })
	}
	if err := calls.Wait(); err != nil {
		return nil, fmt.Errorf("read what stands in %s: %w", from.Region, err)
	}
	return inventory, nil
}

// pages are the pages of a paginated operation with outputs O and client options P.
type pages[O, P any] interface {
	HasMorePages() bool
	NextPage(ctx context.Context, options ...func(*P)) (*O, error)
}

// all returns the items of all pages.
func all[T, O, P any](ctx context.Context, p pages[O, P], items func(*O) []T) (result []T, err error) {
	for p.HasMorePages() {
		page, err := p.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		result = append(result, items(page)...)
	}
	return result, nil
}

func (i *Inventory) readNetworks(ctx context.Context, c *ec2.Client) (err error) {
	i.VPCs, err = all(ctx, ec2.NewDescribeVpcsPaginator(c, &ec2.DescribeVpcsInput{}),
		func(o *ec2.DescribeVpcsOutput) []types.Vpc { return o.Vpcs })
	if err != nil {
		return err
	}
	i.Subnets, err = all(ctx, ec2.NewDescribeSubnetsPaginator(c, &ec2.DescribeSubnetsInput{}),
		func(o *ec2.DescribeSubnetsOutput) []types.Subnet { return o.Subnets })
	if err != nil {
		return err
	}
	i.RouteTables, err = all(ctx, ec2.NewDescribeRouteTablesPaginator(c, &ec2.DescribeRouteTablesInput{}),
		func(o *ec2.DescribeRouteTablesOutput) []types.RouteTable { return o.RouteTables })
	return err
}

func (i *Inventory) readGateways(ctx context.Context, c *ec2.Client) (err error) {
	i.InternetGateways, err = all(ctx,
		ec2.NewDescribeInternetGatewaysPaginator(c, &ec2.DescribeInternetGatewaysInput{}),
		func(o *ec2.DescribeInternetGatewaysOutput) []types.InternetGateway { return o.InternetGateways })
	if err != nil {
		return err
	}
	i.NATGateways, err = all(ctx, ec2.NewDescribeNatGatewaysPaginator(c, &ec2.DescribeNatGatewaysInput{}),
		func(o *ec2.DescribeNatGatewaysOutput) []types.NatGateway { return o.NatGateways })
	if err != nil {
		return err
	}
	i.Endpoints, err = all(ctx,
		ec2.NewDescribeInstanceConnectEndpointsPaginator(c, &ec2.DescribeInstanceConnectEndpointsInput{}),
		func(o *ec2.DescribeInstanceConnectEndpointsOutput) []types.Ec2InstanceConnectEndpoint {
			return o.InstanceConnectEndpoints
		})
	return err
}

func (i *Inventory) readFirewalls(ctx context.Context, c *ec2.Client) (err error) {
	i.SecurityGroups, err = all(ctx, ec2.NewDescribeSecurityGroupsPaginator(c, &ec2.DescribeSecurityGroupsInput{}),
		func(o *ec2.DescribeSecurityGroupsOutput) []types.SecurityGroup { return o.SecurityGroups })
	if err != nil {
		return err
	}
	i.Rules, err = all(ctx, ec2.NewDescribeSecurityGroupRulesPaginator(c, &ec2.DescribeSecurityGroupRulesInput{}),
		func(o *ec2.DescribeSecurityGroupRulesOutput) []types.SecurityGroupRule { return o.SecurityGroupRules })
	if err != nil {
		return err
	}
	i.NetworkACLs, err = all(ctx, ec2.NewDescribeNetworkAclsPaginator(c, &ec2.DescribeNetworkAclsInput{}),
		func(o *ec2.DescribeNetworkAclsOutput) []types.NetworkAcl { return o.NetworkAcls })
	return err
}

func (i *Inventory) readMachines(ctx context.Context, c *ec2.Client) (err error) {
	i.Interfaces, err = all(ctx, ec2.NewDescribeNetworkInterfacesPaginator(c, &ec2.DescribeNetworkInterfacesInput{}),
		func(o *ec2.DescribeNetworkInterfacesOutput) []types.NetworkInterface { return o.NetworkInterfaces })
	if err != nil {
		return err
	}
	reservations, err := all(ctx, ec2.NewDescribeInstancesPaginator(c, &ec2.DescribeInstancesInput{}),
		func(o *ec2.DescribeInstancesOutput) []types.Reservation { return o.Reservations })
	for _, r := range reservations {
		i.Instances = append(i.Instances, r.Instances...)
	}
	return err
}

func (i *Inventory) readLoadBalancers(ctx context.Context, c *elb.Client) error {
	found, err := all(ctx, elb.NewDescribeLoadBalancersPaginator(c, &elb.DescribeLoadBalancersInput{}),
		func(o *elb.DescribeLoadBalancersOutput) []elbtypes.LoadBalancer { return o.LoadBalancers })
	if err != nil {
		return err
	}
	for _, lb := range found {
		listeners, err := all(ctx,
			elb.NewDescribeListenersPaginator(c, &elb.DescribeListenersInput{LoadBalancerArn: lb.LoadBalancerArn}),
			func(o *elb.DescribeListenersOutput) []elbtypes.Listener { return o.Listeners })
		if err != nil {
			return err
		}
		with := LoadBalancer{LoadBalancer: lb}
		for _, l := range listeners {
			rules, err := all(ctx,
				elb.NewDescribeRulesPaginator(c, &elb.DescribeRulesInput{ListenerArn: l.ListenerArn}),
				func(o *elb.DescribeRulesOutput) []elbtypes.Rule { return o.Rules })
			if err != nil {
				return err
			}
			with.Listeners = append(with.Listeners, Listener{l, rules})
		}
		i.LoadBalancers = append(i.LoadBalancers, with)
	}
	return nil
}

func (i *Inventory) readTargetGroups(ctx context.Context, c *elb.Client) error {
	found, err := all(ctx, elb.NewDescribeTargetGroupsPaginator(c, &elb.DescribeTargetGroupsInput{}),
		func(o *elb.DescribeTargetGroupsOutput) []elbtypes.TargetGroup { return o.TargetGroups })
	if err != nil {
		return err
	}
	for _, group := range found {
		health, err := c.DescribeTargetHealth(ctx,
			&elb.DescribeTargetHealthInput{TargetGroupArn: group.TargetGroupArn})
		if err != nil {
			return err
		}
		i.TargetGroups = append(i.TargetGroups, TargetGroup{group, health.TargetHealthDescriptions})
	}
	return nil
}
