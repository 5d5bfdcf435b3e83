package ec2

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func permit(protocol string, from, to int32, cidrs ...string) types.IpPermission {
	p := types.IpPermission{IpProtocol: &protocol, FromPort: &from, ToPort: &to}
	for _, cidr := range cidrs {
		p.IpRanges = append(p.IpRanges, types.IpRange{CidrIp: aws.String(cidr)})
	}
	return p
}

func (c *cloud) describeGroup(group string) types.SecurityGroup {
	c.t.Helper()
	return do(c, c.DescribeSecurityGroups,
		&ec2.DescribeSecurityGroupsInput{GroupIds: []string{group}}).SecurityGroups[0]
}

func TestANewSecurityGroupAllowsAllEgressAndNoIngress(t *testing.T) {
	c := newCloud(t)
	vpc := c.vpc("10.0.0.0/16")
	got := c.describeGroup(c.group(vpc, "web"))
	want := []types.IpPermission{{
		IpProtocol: aws.String("-1"),
		IpRanges:   []types.IpRange{{CidrIp: aws.String("0.0.0.0/0")}}, Ipv6Ranges: []types.Ipv6Range{},
		PrefixListIds: []types.PrefixListId{}, UserIdGroupPairs: []types.UserIdGroupPair{},
	}}
	if diff := cmp.Diff(
		want, got.IpPermissionsEgress, cmpopts.IgnoreUnexported(types.IpPermission{}, types.IpRange{}),
	); diff != "" ||
		len(got.IpPermissions) != 0 {
		t.Errorf("outbound: %s, inbound: %v", diff, got.IpPermissions)
	}
	wantError(c, c.CreateSecurityGroup,
		&ec2.CreateSecurityGroupInput{VpcId: &vpc, GroupName: aws.String("web"), Description: aws.String("d")},
		"InvalidGroup.Duplicate: The security group 'web' already exists for VPC '"+vpc+"'")
	for _, name := range []string{"sg-web", "wéb", "default"} {
		if _, err := c.CreateSecurityGroup(c.ctx, &ec2.CreateSecurityGroupInput{
			VpcId: &vpc, GroupName: &name, Description: aws.String("d"),
		}); err == nil {
			t.Errorf("name %q was accepted", name)
		}
	}
}

func TestRulesAreRevokedByIDOrPermission(t *testing.T) {
	c := newCloud(t)
	app := c.group(c.vpc("10.0.0.0/16"), "app")
	flat := &ec2.AuthorizeSecurityGroupIngressInput{
		GroupId:    &app,
		IpProtocol: aws.String("tcp"),
		FromPort:   aws.Int32(22),
		ToPort:     aws.Int32(22),
		CidrIp:     aws.String("10.0.0.0/8"),
	}
	rule := do(c, c.AuthorizeSecurityGroupIngress, flat).SecurityGroupRules[0]
	wantError(
		c,
		c.AuthorizeSecurityGroupIngress,
		flat,
		"InvalidPermission.Duplicate: the specified rule "+
			`"peer: 10.0.0.0/8, TCP, from port: 22, to port: 22, ALLOW" already exists`,
	)
	out := do(c, c.RevokeSecurityGroupIngress,
		&ec2.RevokeSecurityGroupIngressInput{GroupId: &app, SecurityGroupRuleIds: []string{*rule.SecurityGroupRuleId}})
	if len(out.RevokedSecurityGroupRules) != 1 || *out.RevokedSecurityGroupRules[0].CidrIpv4 != "10.0.0.0/8" {
		t.Errorf("revoked %+v", out)
	}
	wantError(
		c,
		c.RevokeSecurityGroupIngress,
		&ec2.RevokeSecurityGroupIngressInput{GroupId: &app, SecurityGroupRuleIds: []string{*rule.SecurityGroupRuleId}},
		"InvalidSecurityGroupRuleId.NotFound: "+
			"The security group rule ID '"+*rule.SecurityGroupRuleId+"' does not exist",
	)
	all := []types.IpPermission{
		{
			IpProtocol: aws.String("-1"),
			FromPort:   aws.Int32(0),
			ToPort:     aws.Int32(0),
			IpRanges:   []types.IpRange{{CidrIp: aws.String("0.0.0.0/0")}},
		},
	}
	do(c, c.RevokeSecurityGroupEgress, &ec2.RevokeSecurityGroupEgressInput{GroupId: &app, IpPermissions: all})
	wantError(c, c.RevokeSecurityGroupEgress, &ec2.RevokeSecurityGroupEgressInput{GroupId: &app, IpPermissions: all},
		"InvalidPermission.NotFound: The specified rule does not exist in this security group.")
	do(c, c.AuthorizeSecurityGroupEgress, &ec2.AuthorizeSecurityGroupEgressInput{GroupId: &app, IpPermissions: all})
	if len(c.describeGroup(app).IpPermissionsEgress) != 1 {
		t.Error("the outbound rule was not added")
	}
}
