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

func (c *cloud) described(group string) types.SecurityGroup {
	c.t.Helper()
	return do(
		c, c.DescribeSecurityGroups, &ec2.DescribeSecurityGroupsInput{GroupIds: []string{group}},
	).SecurityGroups[0]
}

func TestANewGroupLetsNothingInAndEverythingOut(t *testing.T) {
	c := newCloud(t)
	vpc := c.vpc("10.0.0.0/16")
	got := c.described(c.group(vpc, "web"))
	want := []types.IpPermission{{
		IpProtocol: aws.String("-1"),
		IpRanges:   []types.IpRange{{CidrIp: aws.String("0.0.0.0/0")}}, Ipv6Ranges: []types.Ipv6Range{},
		PrefixListIds: []types.PrefixListId{}, UserIdGroupPairs: []types.UserIdGroupPair{},
	}}
	if diff := cmp.Diff(
		want, got.IpPermissionsEgress, cmpopts.IgnoreUnexported(types.IpPermission{}, types.IpRange{}),
	); diff != "" ||
		len(got.IpPermissions) != 0 {
		t.Errorf("%s %v", diff, got.IpPermissions)
	}
	refused(
		c,
		c.CreateSecurityGroup,
		&ec2.CreateSecurityGroupInput{VpcId: &vpc, GroupName: aws.String("web"), Description: aws.String("d")},
		"InvalidGroup.Duplicate: The security group 'web' already exists for VPC '"+vpc+"'",
	)
	for _, name := range []string{"sg-web", "wéb", "default"} {
		if _, err := c.CreateSecurityGroup(c.ctx, &ec2.CreateSecurityGroupInput{
			VpcId: &vpc, GroupName: &name, Description: aws.String("d"),
		}); err == nil {
			t.Errorf("name %q was accepted", name)
		}
	}
}

func TestRulesAreOneASourceAndShownMerged(t *testing.T) {
	c := newCloud(t)
	vpc := c.vpc("10.0.0.0/16")
	web, app := c.group(vpc, "web"), c.group(vpc, "app")
	permission := permit("TCP", 3000, 3000, "10.1.0.9/16", "10.2.0.0/16")
	permission.IpRanges[0].Description = aws.String("office")
	permission.Ipv6Ranges = []types.Ipv6Range{{CidrIpv6: aws.String("::/0")}}
	permission.UserIdGroupPairs = []types.UserIdGroupPair{{GroupId: &web}}
	rules := do(c, c.AuthorizeSecurityGroupIngress, &ec2.AuthorizeSecurityGroupIngressInput{
		GroupId: &app, IpPermissions: []types.IpPermission{permission},
		TagSpecifications: specification("security-group-rule", "k", "v"),
	}).SecurityGroupRules
	if len(rules) != 4 || *rules[0].CidrIpv4 != "10.1.0.0/16" || *rules[0].Description != "office" ||
		*rules[0].IpProtocol != "tcp" ||
		len(rules[3].Tags) != 1 ||
		*rules[3].ReferencedGroupInfo.GroupId != web {
		t.Errorf("%+v", rules)
	}
	shown := c.described(app).IpPermissions
	if len(shown) != 1 || len(shown[0].IpRanges) != 2 || len(shown[0].Ipv6Ranges) != 1 ||
		*shown[0].UserIdGroupPairs[0].UserId != "000000000000" {
		t.Errorf("%+v", shown)
	}
	found := do(
		c,
		c.DescribeSecurityGroupRules,
		&ec2.DescribeSecurityGroupRulesInput{Filters: []types.Filter{filter("group-id", app)}},
	).SecurityGroupRules
	if len(found) != 5 {
		t.Errorf("%d rules with the one out", len(found))
	}
	if byTag := do(c, c.DescribeSecurityGroupRules, &ec2.DescribeSecurityGroupRulesInput{
		Filters: []types.Filter{filter("tag:k", "v")},
	}).SecurityGroupRules; len(
		byTag,
	) != 4 {
		t.Errorf("%d rules by tag", len(byTag))
	}
	refused(
		c,
		c.DescribeSecurityGroupRules,
		&ec2.DescribeSecurityGroupRulesInput{Filters: []types.Filter{filter("group-id", "foobar")}},
		"InvalidGroupId.Malformed: The security group ID 'foobar' is malformed",
	)
	if none := do(c, c.DescribeSecurityGroupRules, &ec2.DescribeSecurityGroupRulesInput{
		Filters: []types.Filter{filter("group-id", "sg-00000000")},
	}).SecurityGroupRules; len(
		none,
	) != 0 {
		t.Errorf("%v", none)
	}
}

func TestRulesAreRevokedByIDOrByWhatTheyAllow(t *testing.T) {
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
	refused(
		c,
		c.AuthorizeSecurityGroupIngress,
		flat,
		`InvalidPermission.Duplicate: the specified rule "peer: 10.0.0.0/8, TCP, from port: 22, to port: 22, ALLOW" already exists`,
	)
	out := do(
		c,
		c.RevokeSecurityGroupIngress,
		&ec2.RevokeSecurityGroupIngressInput{GroupId: &app, SecurityGroupRuleIds: []string{*rule.SecurityGroupRuleId}},
	)
	if len(out.RevokedSecurityGroupRules) != 1 || *out.RevokedSecurityGroupRules[0].CidrIpv4 != "10.0.0.0/8" {
		t.Errorf("%+v", out)
	}
	refused(
		c,
		c.RevokeSecurityGroupIngress,
		&ec2.RevokeSecurityGroupIngressInput{GroupId: &app, SecurityGroupRuleIds: []string{*rule.SecurityGroupRuleId}},
		"InvalidSecurityGroupRuleId.NotFound: The security group rule ID '"+*rule.SecurityGroupRuleId+"' does not exist",
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
	refused(
		c,
		c.RevokeSecurityGroupEgress,
		&ec2.RevokeSecurityGroupEgressInput{GroupId: &app, IpPermissions: all},
		"InvalidPermission.NotFound: The specified rule does not exist in this security group.",
	)
	do(c, c.AuthorizeSecurityGroupEgress, &ec2.AuthorizeSecurityGroupEgressInput{GroupId: &app, IpPermissions: all})
	if len(c.described(app).IpPermissionsEgress) != 1 {
		t.Error("the way out was not opened again")
	}
}

func TestWhatIsWrongWithARuleIsTold(t *testing.T) {
	c := newCloud(t)
	app, elsewhere := c.group(c.vpc("10.0.0.0/16"), "app"), c.group(c.vpc("10.1.0.0/16"), "app")
	twice := permit("tcp", 1, 1, "10.0.0.0/8", "10.0.0.0/8")
	foreign := permit("tcp", 1, 1)
	foreign.UserIdGroupPairs = []types.UserIdGroupPair{{GroupId: &elsewhere}}
	for _, test := range []struct {
		permission types.IpPermission
		want       string
	}{
		{permit("tcp", 70000, 70000, "10.0.0.0/8"), "InvalidParameterValue: TCP/UDP port (70000) out of range"},
		{permit("tcp", 80, 22, "10.0.0.0/8"), "InvalidParameterValue: Invalid TCP/UDP port range (80:22)"},
		{
			permit("xyz", 1, 1, "10.0.0.0/8"),
			"InvalidParameterValue: Invalid value 'xyz' for IP protocol. Unknown protocol.",
		},
		{permit("tcp", 1, 1, "10.0.0.0/33"), "InvalidParameterValue: CIDR block 10.0.0.0/33 is malformed"},
		{
			types.IpPermission{IpProtocol: aws.String("tcp"), FromPort: aws.Int32(1)},
			"InvalidParameterValue: Invalid value for portRange. Must specify both from and to ports with TCP/UDP.",
		},
		{
			types.IpPermission{FromPort: aws.Int32(1)},
			"InvalidParameterValue: Invalid value 'null' for protocol. VPC security group rules must specify protocols explicitly.",
		},
		{twice, "InvalidParameterValue: The same permission must not appear multiple times"},
		{foreign, "InvalidGroup.NotFound: You have specified two resources that belong to different networks."},
	} {
		refused(
			c,
			c.AuthorizeSecurityGroupIngress,
			&ec2.AuthorizeSecurityGroupIngressInput{
				GroupId:       &app,
				IpPermissions: []types.IpPermission{test.permission},
			},
			test.want,
		)
	}
}

func TestAModifiedRuleKeepsItsID(t *testing.T) {
	c := newCloud(t)
	app := c.group(c.vpc("10.0.0.0/16"), "app")
	rule := do(c, c.AuthorizeSecurityGroupIngress, &ec2.AuthorizeSecurityGroupIngressInput{
		GroupId: &app, IpPermissions: []types.IpPermission{permit("tcp", 22, 22, "10.0.0.0/8")},
	}).SecurityGroupRules[0].SecurityGroupRuleId
	modify := func(to types.SecurityGroupRuleRequest) *ec2.ModifySecurityGroupRulesInput {
		return &ec2.ModifySecurityGroupRulesInput{
			GroupId:            &app,
			SecurityGroupRules: []types.SecurityGroupRuleUpdate{{SecurityGroupRuleId: rule, SecurityGroupRule: &to}},
		}
	}
	do(c, c.ModifySecurityGroupRules, modify(types.SecurityGroupRuleRequest{
		IpProtocol: aws.String("udp"),
		FromPort:   aws.Int32(53),
		ToPort:     aws.Int32(53),
		CidrIpv6:   aws.String("::/0"),
	}))
	got := do(c, c.DescribeSecurityGroupRules, &ec2.DescribeSecurityGroupRulesInput{
		SecurityGroupRuleIds: []string{*rule},
	}).SecurityGroupRules[0]
	if *got.CidrIpv6 != "::/0" || got.CidrIpv4 != nil || *got.FromPort != 53 {
		t.Errorf("%+v", got)
	}
	for want, request := range map[string]types.SecurityGroupRuleRequest{
		"InvalidParameterValue: Invalid value 'null' for protocol. VPC security group rules must specify protocols explicitly.": {},
		"InvalidParameterValue: Invalid value for portRange. Must specify both from and to ports with TCP/UDP.":                 {IpProtocol: aws.String("tcp"), FromPort: aws.Int32(1)},
		"MissingParameter: The request must contain exactly one of: cidrIp, cidrIpv6, prefixListId, or referencedGroupId":       {IpProtocol: aws.String("-1")},
		"InvalidParameterCombination: Only one of cidrIp, cidrIpv6, prefixListId, or referencedGroupId can be specified":        {IpProtocol: aws.String("-1"), CidrIpv4: aws.String("10.0.0.0/8"), CidrIpv6: aws.String("::/0")},
	} {
		refused(c, c.ModifySecurityGroupRules, modify(request), want)
	}
}

func TestRulesGetNewDescriptionsByIDOrByWhatTheyAllow(t *testing.T) {
	c := newCloud(t)
	app := c.group(c.vpc("10.0.0.0/16"), "app")
	permission := permit("tcp", 22, 22, "10.0.0.0/8")
	rule := do(c, c.AuthorizeSecurityGroupIngress, &ec2.AuthorizeSecurityGroupIngressInput{
		GroupId: &app, IpPermissions: []types.IpPermission{permission},
	}).SecurityGroupRules[0].SecurityGroupRuleId
	told := func() string {
		return aws.ToString(
			do(c, c.DescribeSecurityGroupRules, &ec2.DescribeSecurityGroupRulesInput{
				SecurityGroupRuleIds: []string{*rule},
			}).SecurityGroupRules[0].Description,
		)
	}
	permission.IpRanges[0].Description = aws.String("office")
	do(c, c.UpdateSecurityGroupRuleDescriptionsIngress, &ec2.UpdateSecurityGroupRuleDescriptionsIngressInput{
		GroupId:       &app,
		IpPermissions: []types.IpPermission{permission},
	})
	if told() != "office" {
		t.Errorf("by permission: %q", told())
	}
	byID := []types.SecurityGroupRuleDescription{{SecurityGroupRuleId: rule, Description: aws.String("home")}}
	do(
		c,
		c.UpdateSecurityGroupRuleDescriptionsIngress,
		&ec2.UpdateSecurityGroupRuleDescriptionsIngressInput{GroupId: &app, SecurityGroupRuleDescriptions: byID},
	)
	if told() != "home" {
		t.Errorf("by id: %q", told())
	}
	refused(
		c,
		c.UpdateSecurityGroupRuleDescriptionsEgress,
		&ec2.UpdateSecurityGroupRuleDescriptionsEgressInput{GroupId: &app, SecurityGroupRuleDescriptions: byID},
		"InvalidSecurityGroupRuleId.NotFound: The security group rule ID '"+*rule+"' does not exist",
	)
}

func TestRulesOfPeersAreRefusedByName(t *testing.T) {
	c := newCloud(t)
	vpc := c.vpc("10.0.0.0/16")
	group := c.group(vpc, "web")
	allow := func(pair types.UserIdGroupPair) *ec2.AuthorizeSecurityGroupIngressInput {
		pair.GroupId = &group
		return &ec2.AuthorizeSecurityGroupIngressInput{
			GroupId: &group,
			IpPermissions: []types.IpPermission{
				{IpProtocol: aws.String("-1"), UserIdGroupPairs: []types.UserIdGroupPair{pair}},
			},
		}
	}
	refused(
		c,
		c.AuthorizeSecurityGroupIngress,
		allow(types.UserIdGroupPair{VpcPeeringConnectionId: aws.String("pcx-1")}),
		"UnsupportedOperation: aloft's local cloud does not support the parameter vpcPeeringConnectionId",
	)
	refused(
		c,
		c.AuthorizeSecurityGroupIngress,
		allow(types.UserIdGroupPair{VpcId: aws.String("vpc-0123456789abcdef0")}),
		"UnsupportedOperation: aloft's local cloud does not support the parameter vpcId",
	)
	do(c, c.AuthorizeSecurityGroupIngress, allow(types.UserIdGroupPair{VpcId: &vpc}))
}
