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

const securityFile = "security.tf"

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
		blocks[i] = c.resource(securityFile, "aws_security_group", named[id], id).isKnownAs(id, "id")
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
		b := c.resource(securityFile, "aws_key_pair", stack.AddressKeyPair, name).
			literal("key_name", name).isKnownAs(name, "key_name").variable("public_key", "public_key").
			tags(ec2Tags(k.Tags))
		b.ignores("public_key")
	}
	return nil
}

// connectEndpoints writes the application's EC2 Instance Connect Endpoint.
func (c *code) connectEndpoints(ctx context.Context) error {
	for _, f := range c.source.kind(stack.KindConnectEndpoint) {
		list, err := c.source.Client.EC2.DescribeInstanceConnectEndpoints(ctx,
			&ec2.DescribeInstanceConnectEndpointsInput{InstanceConnectEndpointIds: []string{f.ID}})
		if err != nil || len(list.InstanceConnectEndpoints) == 0 {
			return reading("the endpoint "+f.ID, err)
		}
		e := list.InstanceConnectEndpoints[0]
		c.resource(securityFile, "aws_ec2_instance_connect_endpoint", f.Address, f.ID).
			text("subnet_id", aws.ToString(e.SubnetId)).list("security_group_ids", e.SecurityGroupIds).
			flag("preserve_client_ip", aws.ToBool(e.PreserveClientIp)).tags(ec2Tags(e.Tags))
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
