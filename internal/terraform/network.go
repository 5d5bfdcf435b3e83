package terraform

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/hashicorp/hcl/v2"

	"aloft.dev/aloft/internal/stack"
)

func ec2Tags(tags []types.Tag) map[string]string {
	all := map[string]string{}
	for _, t := range tags {
		all[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return all
}

const networkFile = "network.tf"

// network writes the VPC, its subnets, gateways and route tables. What existed before the
// application is an input.
func (c *code) network(ctx context.Context) error {
	if len(c.source.kind(stack.KindVPC)) == 0 {
		c.existingNetwork()
	}
	for _, write := range []func(context.Context) error{
		c.vpcs, c.subnets, c.gateways, c.elasticIPs, c.natGateways, c.routeTables,
	} {
		if err := write(ctx); err != nil {
			return err
		}
	}
	return nil
}

// existingNetwork declares the VPC and the subnets in which the application is.
func (c *code) existingNetwork() {
	declare := func(id, name, what string) {
		c.declare(name, variable{what: what + ", which existed before the application", value: id})
		c.references[id] = variableOf(name)
	}
	public, private := map[string]bool{}, map[string]bool{}
	for _, f := range c.source.Found {
		switch f.Kind {
		case stack.KindSecurityGroup, stack.KindTargetGroup:
			declare(f.Value(stack.AttrVPC), "vpc", "VPC")
		case stack.KindLoadBalancer:
			for _, id := range f.Values(stack.AttrSubnets) {
				public[id] = true
			}
		case stack.KindServer:
			private[f.Value(stack.AttrSubnet)] = true
		case stack.KindScalingGroup:
			for _, id := range f.Values(stack.AttrSubnets) {
				private[id] = true
			}
		}
	}
	for id := range public {
		delete(private, id)
	}
	for kind, all := range map[string]map[string]bool{"public": public, "private": private} {
		for i, id := range slices.Sorted(maps.Keys(all)) {
			c.subnetNames[id] = fmt.Sprintf("%s_subnet_%d", kind, i+1)
			declare(id, c.subnetNames[id], kind+" subnet")
		}
	}
}

func (c *code) vpcs(ctx context.Context) error {
	for _, f := range c.source.kind(stack.KindVPC) {
		list, err := c.source.Client.EC2.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{VpcIds: []string{f.ID}})
		if err != nil || len(list.Vpcs) == 0 {
			return reading("VPC "+f.ID, err)
		}
		c.resource(networkFile, "aws_vpc", f.Address, f.ID).isKnownAs(f.ID, "id").
			text("cidr_block", f.Value(stack.AttrCIDR)).
			flag("enable_dns_hostnames", f.Value(stack.AttrDNSHostnames) == stack.On).
			tags(ec2Tags(list.Vpcs[0].Tags))
	}
	return nil
}

func (c *code) subnets(ctx context.Context) error {
	for _, f := range c.source.kind(stack.KindSubnet) {
		c.subnetNames[f.ID] = f.Address
		list, err := c.source.Client.EC2.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{SubnetIds: []string{f.ID}})
		if err != nil || len(list.Subnets) == 0 {
			return reading("subnet "+f.ID, err)
		}
		s := list.Subnets[0]
		c.resource(networkFile, "aws_subnet", f.Address, f.ID).isKnownAs(f.ID, "id").
			text("vpc_id", aws.ToString(s.VpcId)).text("cidr_block", aws.ToString(s.CidrBlock)).
			text("availability_zone", aws.ToString(s.AvailabilityZone)).
			flag("map_public_ip_on_launch", aws.ToBool(s.MapPublicIpOnLaunch)).tags(ec2Tags(s.Tags))
	}
	return nil
}

func (c *code) gateways(ctx context.Context) error {
	for _, f := range c.source.kind(stack.KindInternetGateway) {
		list, err := c.source.Client.EC2.DescribeInternetGateways(ctx, &ec2.DescribeInternetGatewaysInput{
			InternetGatewayIds: []string{f.ID},
		})
		if err != nil || len(list.InternetGateways) == 0 {
			return reading("internet gateway "+f.ID, err)
		}
		c.resource(networkFile, "aws_internet_gateway", f.Address, f.ID).isKnownAs(f.ID, "id").
			text("vpc_id", f.Value(stack.AttrAttachedTo)).tags(ec2Tags(list.InternetGateways[0].Tags))
	}
	return nil
}

func (c *code) routeTables(ctx context.Context) error {
	for _, f := range c.source.kind(stack.KindRouteTable) {
		list, err := c.source.Client.EC2.DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{
			RouteTableIds: []string{f.ID},
		})
		if err != nil || len(list.RouteTables) == 0 {
			return reading("route table "+f.ID, err)
		}
		c.routeTable(f.Address, list.RouteTables[0])
	}
	return nil
}

// routeTable writes a route table with its routes and associations.
func (c *code) routeTable(address string, t types.RouteTable) {
	id := aws.ToString(t.RouteTableId)
	b := c.resource(networkFile, "aws_route_table", address, id).isKnownAs(id, "id").
		text("vpc_id", aws.ToString(t.VpcId))
	for _, r := range t.Routes {
		if gateway := aws.ToString(r.GatewayId); gateway != "local" {
			b.inside("route").text("cidr_block", aws.ToString(r.DestinationCidrBlock)).text("gateway_id", gateway).
				text("nat_gateway_id", aws.ToString(r.NatGatewayId))
		}
	}
	b.tags(ec2Tags(t.Tags))
	slices.SortFunc(t.Associations, func(a, b types.RouteTableAssociation) int {
		return byAddress(c.subnetNames, aws.ToString(a.SubnetId), aws.ToString(b.SubnetId))
	})
	for _, a := range t.Associations {
		if subnet := aws.ToString(a.SubnetId); subnet != "" {
			c.resource(networkFile, "aws_route_table_association", c.subnetNames[subnet], subnet+"/"+id).
				text("subnet_id", subnet).text("route_table_id", id)
		}
	}
}

// byAddress compares ids by the addresses of what has them.
func byAddress(named map[string]string, a, b string) int {
	switch {
	case named[a] < named[b]:
		return -1
	case named[a] > named[b]:
		return 1
	}
	return 0
}

// elasticIPs writes the public addresses of NAT gateways.
func (c *code) elasticIPs(ctx context.Context) error {
	for _, f := range c.source.kind(stack.KindElasticIP) {
		list, err := c.source.Client.EC2.DescribeAddresses(ctx, &ec2.DescribeAddressesInput{
			AllocationIds: []string{f.ID},
		})
		if err != nil || len(list.Addresses) == 0 {
			return reading("Elastic IP address "+f.ID, err)
		}
		c.resource(networkFile, "aws_eip", f.Address, f.ID).isKnownAs(f.ID, "id").
			text("domain", string(types.DomainTypeVpc)).tags(ec2Tags(list.Addresses[0].Tags))
	}
	return nil
}

// natGateways writes the NAT gateways, which need the internet gateway.
func (c *code) natGateways(ctx context.Context) error {
	var after []hcl.Traversal
	for _, f := range c.source.kind(stack.KindInternetGateway) {
		after = append(after, c.references[f.ID][:2])
	}
	for _, f := range c.source.kind(stack.KindNatGateway) {
		list, err := c.source.Client.EC2.DescribeNatGateways(ctx, &ec2.DescribeNatGatewaysInput{
			NatGatewayIds: []string{f.ID},
		})
		if err != nil || len(list.NatGateways) == 0 {
			return reading("NAT gateway "+f.ID, err)
		}
		c.resource(networkFile, "aws_nat_gateway", f.Address, f.ID).isKnownAs(f.ID, "id").
			text("subnet_id", f.Value(stack.AttrSubnet)).text("allocation_id", f.Value(stack.AttrElasticIP)).
			tags(ec2Tags(list.NatGateways[0].Tags)).after(after...)
	}
	return nil
}
