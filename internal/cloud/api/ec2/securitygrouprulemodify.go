package ec2

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// ModifySecurityGroupRules replaces rules of a security group. If one replacement is
// invalid, none is made. A rule keeps its id, its direction and its tags.
func (a *API) ModifySecurityGroupRules(
	ctx context.Context, in *ec2.ModifySecurityGroupRulesInput,
) (*ec2.ModifySecurityGroupRulesOutput, error) {
	if err := required(parameter{"groupId", in.GroupId}); err != nil {
		return nil, err
	}
	if len(in.SecurityGroupRules) == 0 {
		return nil, missingParameter("securityGroupRules")
	}
	out := &ec2.ModifySecurityGroupRulesOutput{Return: aws.Bool(true)}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		for _, update := range in.SecurityGroupRules {
			// Read the row for each update: it may depend on the one before.
			group, err := securityGroups.get(tx, region, *in.GroupId)
			if err != nil {
				return err
			}
			if err := a.modifyRule(tx, group, update); err != nil {
				return err
			}
		}
		return nil
	})
}

func (a *API) modifyRule(tx *store.Tx, group *store.SecurityGroup, update types.SecurityGroupRuleUpdate) error {
	if err := required(parameter{"securityGroupRuleId", update.SecurityGroupRuleId}); err != nil {
		return err
	}
	if update.SecurityGroupRule == nil {
		return missingParameter("securityGroupRule")
	}
	var own []groupRule
	for _, rule := range group.Rules {
		own = append(own, groupRule{group, rule})
	}
	found, err := findRule(own, *update.SecurityGroupRuleId)
	if err != nil {
		return err
	}
	permission, err := permissionOf(update.SecurityGroupRule)
	if err != nil {
		return err
	}
	rules, err := parsePermissions(tx, group, []types.IpPermission{permission})
	if err != nil {
		return err
	}
	changed := rules[0]
	changed.ID, changed.Egress, changed.Tags = found.rule.ID, found.rule.Egress, found.rule.Tags
	if i := indexOfRule(group, changed); i >= 0 && group.Rules[i].ID != changed.ID {
		return duplicateRule(changed)
	}
	editRule(tx, found, func(rule *store.SecurityGroupRule) { *rule = changed })
	after, _ := store.SecurityGroups.Get(tx, group.ID)
	return a.limitRules(countRules(tx, after.Rules, changed.Egress))
}

// permissionOf returns a rule of the request as a permission with one source.
func permissionOf(rule *types.SecurityGroupRuleRequest) (types.IpPermission, error) {
	permission := types.IpPermission{IpProtocol: rule.IpProtocol, FromPort: rule.FromPort, ToPort: rule.ToPort}
	if _, err := protocolAndPorts(rule.IpProtocol, rule.FromPort, rule.ToPort); err != nil {
		return permission, err
	}
	sources := 0
	for _, source := range []*string{rule.CidrIpv4, rule.CidrIpv6, rule.PrefixListId, rule.ReferencedGroupId} {
		if source != nil {
			sources++
		}
	}
	switch {
	case sources == 0:
		return permission, wire.Errorf(
			"MissingParameter",
			"The request must contain exactly one of: cidrIp, cidrIpv6, prefixListId, or referencedGroupId",
		)
	case sources > 1:
		return permission, wire.Errorf(
			"InvalidParameterCombination",
			"Only one of cidrIp, cidrIpv6, prefixListId, or referencedGroupId can be specified",
		)
	case rule.CidrIpv4 != nil:
		permission.IpRanges = []types.IpRange{{CidrIp: rule.CidrIpv4, Description: rule.Description}}
	case rule.CidrIpv6 != nil:
		permission.Ipv6Ranges = []types.Ipv6Range{{CidrIpv6: rule.CidrIpv6, Description: rule.Description}}
	case rule.PrefixListId != nil:
		permission.PrefixListIds = []types.PrefixListId{
			{PrefixListId: rule.PrefixListId, Description: rule.Description},
		}
	default:
		permission.UserIdGroupPairs = []types.UserIdGroupPair{
			{GroupId: rule.ReferencedGroupId, Description: rule.Description},
		}
	}
	return permission, nil
}
