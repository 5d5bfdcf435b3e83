package terraform

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/hashicorp/hcl/v2"

	"aloft.dev/aloft/internal/blueprint"
	"aloft.dev/aloft/internal/stack"
)

const networkFile = "network.tf"

// inputs declares what existed before the application.
func (c *code) inputs() {
	for _, i := range c.Inputs {
		c.declare(i.Name, variable{what: i.What, value: i.ID})
		c.references[i.ID] = variableOf(i.Name)
	}
}

// network writes the VPC, its subnets, gateways and route tables.
func (c *code) network() {
	for _, v := range c.VPCs {
		c.resource(networkFile, "aws_vpc", v.Address, v.ID).isKnownAs(v.ID, "id").
			text("cidr_block", v.Value(stack.AttrCIDR)).
			flag("enable_dns_hostnames", v.Value(stack.AttrDNSHostnames) == stack.On).tags(v.Tags)
	}
	for _, s := range c.Subnets {
		c.resource(networkFile, "aws_subnet", s.Address, s.ID).isKnownAs(s.ID, "id").
			text("vpc_id", aws.ToString(s.AWS.VpcId)).text("cidr_block", aws.ToString(s.AWS.CidrBlock)).
			text("availability_zone", aws.ToString(s.AWS.AvailabilityZone)).
			flag("map_public_ip_on_launch", aws.ToBool(s.AWS.MapPublicIpOnLaunch)).tags(s.Tags)
	}
	for _, g := range c.InternetGateways {
		c.resource(networkFile, "aws_internet_gateway", g.Address, g.ID).isKnownAs(g.ID, "id").
			text("vpc_id", g.Value(stack.AttrAttachedTo)).tags(g.Tags)
	}
	c.natGateways()
	for _, t := range c.RouteTables {
		c.routeTable(t)
	}
}

// natGateways writes the NAT gateways with their public addresses. They need the internet
// gateway.
func (c *code) natGateways() {
	for _, a := range c.ElasticIPs {
		c.resource(networkFile, "aws_eip", a.Address, a.ID).isKnownAs(a.ID, "id").
			text("domain", string(types.DomainTypeVpc)).tags(a.Tags)
	}
	var after []hcl.Traversal
	for _, g := range c.InternetGateways {
		after = append(after, c.references[g.ID][:2])
	}
	for _, g := range c.NATGateways {
		c.resource(networkFile, "aws_nat_gateway", g.Address, g.ID).isKnownAs(g.ID, "id").
			text("subnet_id", g.Value(stack.AttrSubnet)).text("allocation_id", g.Value(stack.AttrElasticIP)).
			tags(g.Tags).after(after...)
	}
}

// routeTable writes a route table with its routes and associations.
func (c *code) routeTable(t blueprint.Item[types.RouteTable]) {
	b := c.resource(networkFile, "aws_route_table", t.Address, t.ID).isKnownAs(t.ID, "id").
		text("vpc_id", aws.ToString(t.AWS.VpcId))
	for _, r := range t.AWS.Routes {
		if gateway := aws.ToString(r.GatewayId); gateway != "local" {
			b.inside("route").text("cidr_block", aws.ToString(r.DestinationCidrBlock)).text("gateway_id", gateway).
				text("nat_gateway_id", aws.ToString(r.NatGatewayId))
		}
	}
	b.tags(t.Tags)
	for _, a := range t.AWS.Associations {
		if subnet := aws.ToString(a.SubnetId); subnet != "" {
			c.resource(networkFile, "aws_route_table_association", c.SubnetNames[subnet], subnet+"/"+t.ID).
				text("subnet_id", subnet).text("route_table_id", t.ID)
		}
	}
}
