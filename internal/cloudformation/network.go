package cloudformation

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/blueprint"
	"aloft.dev/aloft/internal/stack"
)

// inputs declares what existed before the application.
func (c *code) inputs() {
	for _, i := range c.Inputs {
		kind := "AWS::EC2::VPC::Id"
		if strings.HasPrefix(i.ID, "subnet-") {
			kind = "AWS::EC2::Subnet::Id"
		}
		c.declare(i.Name, kind, i.What, i.ID)
	}
}

// network writes the VPC, its subnets, gateways and route tables.
func (c *code) network() {
	for _, v := range c.VPCs {
		c.add(v.Address, "AWS::EC2::VPC", map[string]string{"VpcId": v.ID}, object{
			"CidrBlock": v.Value(stack.AttrCIDR), "EnableDnsSupport": true,
			"EnableDnsHostnames": v.Value(stack.AttrDNSHostnames) == stack.On, "Tags": c.tags(v.Tags),
		}).isKnownAs(v.ID, "")
	}
	for _, s := range c.Subnets {
		c.add(s.Address, "AWS::EC2::Subnet", map[string]string{"SubnetId": s.ID}, object{
			"VpcId": c.value(aws.ToString(s.AWS.VpcId)), "CidrBlock": aws.ToString(s.AWS.CidrBlock),
			"AvailabilityZone":    c.value(aws.ToString(s.AWS.AvailabilityZone)),
			"MapPublicIpOnLaunch": aws.ToBool(s.AWS.MapPublicIpOnLaunch), "Tags": c.tags(s.Tags),
		}).isKnownAs(s.ID, "")
	}
	for _, g := range c.InternetGateways {
		c.add(g.Address, "AWS::EC2::InternetGateway", map[string]string{"InternetGatewayId": g.ID}, object{
			"Tags": c.tags(g.Tags),
		}).isKnownAs(g.ID, "")
		vpc := g.Value(stack.AttrAttachedTo)
		attachment := c.add(g.Address+"-attachment", "AWS::EC2::VPCGatewayAttachment",
			map[string]string{"AttachmentType": "IGW", "VpcId": vpc},
			object{"VpcId": c.value(vpc), "InternetGatewayId": c.value(g.ID)})
		c.attachments = append(c.attachments, attachment.id)
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
		c.add(a.Address, "AWS::EC2::EIP",
			map[string]string{"PublicIp": aws.ToString(a.AWS.PublicIp), "AllocationId": a.ID},
			object{"Domain": string(types.DomainTypeVpc), "Tags": c.tags(a.Tags)},
		).isKnownAs(a.ID, "AllocationId").after(c.attachments...)
	}
	for _, g := range c.NATGateways {
		c.add(g.Address, "AWS::EC2::NatGateway", map[string]string{"NatGatewayId": g.ID}, object{
			"SubnetId": c.value(g.Value(stack.AttrSubnet)), "AllocationId": c.value(g.Value(stack.AttrElasticIP)),
			"Tags": c.tags(g.Tags),
		}).isKnownAs(g.ID, "").after(c.attachments...)
	}
}

// routeTable writes a route table with its routes and associations.
func (c *code) routeTable(t blueprint.Item[types.RouteTable]) {
	c.add(t.Address, "AWS::EC2::RouteTable", map[string]string{"RouteTableId": t.ID}, object{
		"VpcId": c.value(aws.ToString(t.AWS.VpcId)), "Tags": c.tags(t.Tags),
	}).isKnownAs(t.ID, "")
	for _, r := range t.AWS.Routes {
		gateway, destination := aws.ToString(r.GatewayId), aws.ToString(r.DestinationCidrBlock)
		if gateway == "local" {
			continue
		}
		c.add(t.Address+"-route", "AWS::EC2::Route",
			map[string]string{"RouteTableId": t.ID, "CidrBlock": destination},
			object{
				"RouteTableId": c.value(t.ID), "DestinationCidrBlock": destination, "GatewayId": c.value(gateway),
				"NatGatewayId": c.value(aws.ToString(r.NatGatewayId)),
			}).after(c.attachments...)
	}
	for _, a := range t.AWS.Associations {
		if subnet := aws.ToString(a.SubnetId); subnet != "" {
			c.add(c.SubnetNames[subnet]+"-routes", "AWS::EC2::SubnetRouteTableAssociation",
				map[string]string{"Id": aws.ToString(a.RouteTableAssociationId)},
				object{"SubnetId": c.value(subnet), "RouteTableId": c.value(t.ID)})
		}
	}
}
