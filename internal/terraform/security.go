package terraform

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/stack"
)

const securityFile = "security.tf"

// security writes what decides who connects to the servers.
func (c *code) security() {
	c.securityGroups()
	c.keyPairs()
	for _, e := range c.ConnectEndpoints {
		c.resource(securityFile, "aws_ec2_instance_connect_endpoint", e.Address, e.ID).
			text("subnet_id", aws.ToString(e.AWS.SubnetId)).list("security_group_ids", e.AWS.SecurityGroupIds).
			flag("preserve_client_ip", aws.ToBool(e.AWS.PreserveClientIp)).tags(e.Tags)
	}
}

// securityGroups writes the security groups with their rules. All are known before their
// rules are written, which refer to others.
func (c *code) securityGroups() {
	blocks := make([]block, len(c.SecurityGroups))
	for i, g := range c.SecurityGroups {
		blocks[i] = c.resource(securityFile, "aws_security_group", g.Address, g.ID).isKnownAs(g.ID, "id")
	}
	for i, g := range c.SecurityGroups {
		b := blocks[i].text("name", aws.ToString(g.AWS.GroupName)).text("description", aws.ToString(g.AWS.Description)).
			text("vpc_id", aws.ToString(g.AWS.VpcId))
		b.rules("ingress", g.AWS.IpPermissions)
		b.rules("egress", g.AWS.IpPermissionsEgress)
		b.tags(g.Tags)
	}
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
func (c *code) keyPairs() {
	for _, k := range c.KeyPairs {
		c.declare("public_key", variable{
			what: "public key for SSH, as in a line of authorized_keys; an imported key pair keeps its own", value: "",
		})
		name := aws.ToString(k.AWS.KeyName)
		c.resource(securityFile, "aws_key_pair", k.Address, name).literal("key_name", name).isKnownAs(name, "key_name").
			variable("public_key", "public_key").tags(k.Tags).ignores("public_key")
	}
}

// images declares the release's image: another account or region has one of its own.
func (c *code) images() {
	for _, f := range c.Images {
		release := f.Value(stack.AttrRelease)
		name := "image_" + notInName.ReplaceAllString(release, "_")
		c.declare(name, variable{what: "AMI of release " + release, value: f.ID})
		c.references[f.ID] = variableOf(name)
	}
}
