package ec2

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

func TestARuleHasOneSourceAndAPermissionMergesRules(t *testing.T) {
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
		t.Errorf("added %+v", rules)
	}
	shown := c.describeGroup(app).IpPermissions
	if len(shown) != 1 || len(shown[0].IpRanges) != 2 || len(shown[0].Ipv6Ranges) != 1 ||
		*shown[0].UserIdGroupPairs[0].UserId != "000000000000" {
		t.Errorf("permissions %+v", shown)
	}
	found := do(c, c.DescribeSecurityGroupRules,
		&ec2.DescribeSecurityGroupRulesInput{Filters: []types.Filter{filter("group-id", app)}}).SecurityGroupRules
	if len(found) != 5 {
		t.Errorf("got %d rules with the outbound one, want 5", len(found))
	}
	if byTag := do(c, c.DescribeSecurityGroupRules, &ec2.DescribeSecurityGroupRulesInput{
		Filters: []types.Filter{filter("tag:k", "v")},
	}).SecurityGroupRules; len(byTag) != 4 {
		t.Errorf("got %d rules by tag, want 4", len(byTag))
	}
	wantError(c, c.DescribeSecurityGroupRules,
		&ec2.DescribeSecurityGroupRulesInput{Filters: []types.Filter{filter("group-id", "foobar")}},
		"InvalidGroupId.Malformed: The security group ID 'foobar' is malformed")
	if none := do(c, c.DescribeSecurityGroupRules, &ec2.DescribeSecurityGroupRulesInput{
		Filters: []types.Filter{filter("group-id", "sg-00000000")},
	}).SecurityGroupRules; len(none) != 0 {
		t.Errorf("rules of an unknown group: %v", none)
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
		t.Errorf("modified rule %+v", got)
	}
	for want, request := range map[string]types.SecurityGroupRuleRequest{
		"InvalidParameterValue: Invalid value 'null' for protocol. VPC security group rules must specify protocols " +
			"explicitly.": {},
		"InvalidParameterValue: Invalid value for portRange. Must specify both from and to ports with TCP/UDP.": {
			IpProtocol: aws.String("tcp"), FromPort: aws.Int32(1),
		},
		"MissingParameter: The request must contain exactly one of: cidrIp, cidrIpv6, prefixListId, or " +
			"referencedGroupId": {IpProtocol: aws.String("-1")},
		"InvalidParameterCombination: Only one of cidrIp, cidrIpv6, prefixListId, or referencedGroupId can be " +
			"specified": {
			IpProtocol: aws.String("-1"), CidrIpv4: aws.String("10.0.0.0/8"), CidrIpv6: aws.String("::/0"),
		},
	} {
		wantError(c, c.ModifySecurityGroupRules, modify(request), want)
	}
}

func TestRuleDescriptionsAreUpdatedByIDOrPermission(t *testing.T) {
	c := newCloud(t)
	app := c.group(c.vpc("10.0.0.0/16"), "app")
	permission := permit("tcp", 22, 22, "10.0.0.0/8")
	rule := do(c, c.AuthorizeSecurityGroupIngress, &ec2.AuthorizeSecurityGroupIngressInput{
		GroupId: &app, IpPermissions: []types.IpPermission{permission},
	}).SecurityGroupRules[0].SecurityGroupRuleId
	description := func() string {
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
	if description() != "office" {
		t.Errorf("by permission: %q", description())
	}
	byID := []types.SecurityGroupRuleDescription{{SecurityGroupRuleId: rule, Description: aws.String("home")}}
	do(c, c.UpdateSecurityGroupRuleDescriptionsIngress,
		&ec2.UpdateSecurityGroupRuleDescriptionsIngressInput{GroupId: &app, SecurityGroupRuleDescriptions: byID})
	if description() != "home" {
		t.Errorf("by id: %q", description())
	}
	wantError(c, c.UpdateSecurityGroupRuleDescriptionsEgress,
		&ec2.UpdateSecurityGroupRuleDescriptionsEgressInput{GroupId: &app, SecurityGroupRuleDescriptions: byID},
		"InvalidSecurityGroupRuleId.NotFound: The security group rule ID '"+*rule+"' does not exist")
}
