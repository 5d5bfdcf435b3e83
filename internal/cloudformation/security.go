package cloudformation

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/stack"
)

// security writes what decides who connects to the servers.
func (c *code) security() {
	c.securityGroups()
	c.keyPairs()
	for _, e := range c.ConnectEndpoints {
		c.add(e.Address, "AWS::EC2::InstanceConnectEndpoint", map[string]string{"Id": e.ID}, object{
			"SubnetId": c.value(aws.ToString(e.AWS.SubnetId)), "SecurityGroupIds": c.values(e.AWS.SecurityGroupIds),
			"PreserveClientIp": aws.ToBool(e.AWS.PreserveClientIp), "Tags": c.tags(e.Tags),
		})
	}
}

// securityGroups writes the security groups with their rules. All are known before their
// rules are written, which refer to others.
func (c *code) securityGroups() {
	groups := make([]*added, len(c.SecurityGroups))
	for i, g := range c.SecurityGroups {
		groups[i] = c.add(g.Address, "AWS::EC2::SecurityGroup", map[string]string{"Id": g.ID}, object{
			"GroupName": aws.ToString(g.AWS.GroupName), "GroupDescription": aws.ToString(g.AWS.Description),
			"VpcId": c.value(aws.ToString(g.AWS.VpcId)), "Tags": c.tags(g.Tags),
		}).isKnownAs(g.ID, "GroupId")
	}
	for i, g := range c.SecurityGroups {
		groups[i].Properties["SecurityGroupIngress"] = c.rules(g.AWS.IpPermissions, "SourceSecurityGroupId")
		groups[i].Properties["SecurityGroupEgress"] = c.rules(g.AWS.IpPermissionsEgress, "DestinationSecurityGroupId")
	}
}

// rules returns the rules of one direction. group is the property with the group at the other
// end.
func (c *code) rules(permissions []types.IpPermission, group string) []object {
	all := []object{}
	for _, p := range permissions {
		rule := func(peer string, value any) {
			r := object{"IpProtocol": aws.ToString(p.IpProtocol), peer: value}
			if p.FromPort != nil && p.ToPort != nil {
				r["FromPort"], r["ToPort"] = *p.FromPort, *p.ToPort
			}
			all = append(all, r)
		}
		for _, r := range p.IpRanges {
			rule("CidrIp", aws.ToString(r.CidrIp))
		}
		for _, g := range p.UserIdGroupPairs {
			rule(group, c.value(aws.ToString(g.GroupId)))
		}
	}
	return all
}

// keyPairs writes the key pair. AWS has only the public key, which is an input unless the key
// pair stands.
func (c *code) keyPairs() {
	for _, k := range c.KeyPairs {
		name := aws.ToString(k.AWS.KeyName)
		properties := object{"KeyName": name, "Tags": c.tags(k.Tags)}
		if !c.importing {
			properties["PublicKeyMaterial"] = c.declare("public-key", "String",
				"public key for SSH, as in a line of authorized_keys", "")
		}
		c.add(k.Address, "AWS::EC2::KeyPair", map[string]string{"KeyName": name}, properties).isKnownAs(name, "")
	}
}

// images declares the release's image: another account or region has one of its own.
func (c *code) images() {
	for _, f := range c.Images {
		release := f.Value(stack.AttrRelease)
		c.declare("image-"+release, "AWS::EC2::Image::Id", "AMI of release "+release, f.ID)
	}
}
