package terraform

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/plan"
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

// network writes the VPC, its subnets, the internet gateway and the route table.
func (c *code) network(ctx context.Context) error {
	for _, write := range []func(context.Context) error{c.vpcs, c.subnets, c.gateways, c.routeTables} {
		if err := write(ctx); err != nil {
			return err
		}
	}
	return nil
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
		c.routeTable(f.Address, addresses(c.source.kind(stack.KindSubnet)), list.RouteTables[0])
	}
	return nil
}

// routeTable writes a route table with its routes and associations.
func (c *code) routeTable(address string, subnets map[string]string, t types.RouteTable) {
	id := aws.ToString(t.RouteTableId)
	b := c.resource(networkFile, "aws_route_table", address, id).isKnownAs(id, "id").
		text("vpc_id", aws.ToString(t.VpcId))
	for _, r := range t.Routes {
		if gateway := aws.ToString(r.GatewayId); gateway != "local" && gateway != "" {
			b.inside("route").text("cidr_block", aws.ToString(r.DestinationCidrBlock)).text("gateway_id", gateway)
		}
	}
	b.tags(ec2Tags(t.Tags))
	slices.SortFunc(t.Associations, func(a, b types.RouteTableAssociation) int {
		return byAddress(subnets, aws.ToString(a.SubnetId), aws.ToString(b.SubnetId))
	})
	for _, a := range t.Associations {
		if subnet := aws.ToString(a.SubnetId); subnet != "" {
			c.resource(networkFile, "aws_route_table_association", subnets[subnet], subnet+"/"+id).
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

// securityGroups writes the security groups with their rules. All are known before their
// rules are written, which refer to others.
func (c *code) securityGroups(ctx context.Context) error {
	found := c.source.kind(stack.KindSecurityGroup)
	if len(found) == 0 {
		return nil
	}
	list, err := c.source.Client.EC2.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{
		GroupIds: ids(found),
	})
	if err != nil {
		return reading("the security groups", err)
	}
	named := addresses(found)
	slices.SortFunc(list.SecurityGroups, func(a, b types.SecurityGroup) int {
		return byAddress(named, aws.ToString(a.GroupId), aws.ToString(b.GroupId))
	})
	blocks := make([]block, len(list.SecurityGroups))
	for i, g := range list.SecurityGroups {
		id := aws.ToString(g.GroupId)
		blocks[i] = c.resource("security.tf", "aws_security_group", named[id], id).isKnownAs(id, "id")
	}
	for i, g := range list.SecurityGroups {
		b := blocks[i].text("name", aws.ToString(g.GroupName)).text("description", aws.ToString(g.Description)).
			text("vpc_id", aws.ToString(g.VpcId))
		b.rules("ingress", g.IpPermissions)
		b.rules("egress", g.IpPermissionsEgress)
		b.tags(ec2Tags(g.Tags))
	}
	return nil
}

// rules writes the rules of one direction. Rules of Aloft have no descriptions that stay.
func (b block) rules(direction string, permissions []types.IpPermission) {
	for _, p := range permissions {
		rule := b.inside(direction)
		rule.number("from_port", int64(aws.ToInt32(p.FromPort))).number("to_port", int64(aws.ToInt32(p.ToPort)))
		rule.text("protocol", aws.ToString(p.IpProtocol))
		var blocks, groups []string
		for _, r := range p.IpRanges {
			blocks = append(blocks, aws.ToString(r.CidrIp))
		}
		for _, g := range p.UserIdGroupPairs {
			groups = append(groups, aws.ToString(g.GroupId))
		}
		if len(blocks) > 0 {
			rule.list("cidr_blocks", blocks)
		}
		if len(groups) > 0 {
			rule.list("security_groups", groups)
		}
	}
}

// keyPairs writes the key pair. AWS has only the public key, which a variable holds.
func (c *code) keyPairs(ctx context.Context) error {
	found := c.source.kind(stack.KindKeyPair)
	if len(found) == 0 {
		return nil
	}
	list, err := c.source.Client.EC2.DescribeKeyPairs(ctx, &ec2.DescribeKeyPairsInput{KeyNames: ids(found)})
	if err != nil {
		return reading("the key pair", err)
	}
	c.declare("public_key", variable{
		what: "public key for SSH, as in a line of authorized_keys; an imported key pair keeps its own", value: "",
	})
	for _, k := range list.KeyPairs {
		name := aws.ToString(k.KeyName)
		b := c.resource("security.tf", "aws_key_pair", stack.AddressKeyPair, name).
			literal("key_name", name).isKnownAs(name, "key_name").variable("public_key", "public_key").
			tags(ec2Tags(k.Tags))
		b.ignores("public_key")
	}
	return nil
}

// images declares the release's image: another account or region has one of its own.
func (c *code) images(context.Context) error {
	for _, f := range c.source.kind(stack.KindImage) {
		name := imageVariable(f)
		c.declare(name, variable{what: "AMI of release " + f.Value(stack.AttrRelease), value: f.ID})
		c.references[f.ID] = variableOf(name)
	}
	return nil
}

func imageVariable(f plan.Found) string {
	return "image_" + notInName.ReplaceAllString(f.Value(stack.AttrRelease), "_")
}
