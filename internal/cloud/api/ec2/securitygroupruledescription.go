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

// updateRuleDescriptions changes the descriptions of the rules that a request names by
// id or by permission. If one rule does not exist, it changes none.
func (a *API) updateRuleDescriptions(
	ctx context.Context,
	dryRun *bool,
	q ruleRequest,
	named []types.SecurityGroupRuleDescription,
) error {
	if len(q.permissions) > 0 && len(named) > 0 {
		return wire.Errorf(
			"InvalidParameterCombination",
			"The parameter 'securityGroupRuleDescriptions' may not be used in combination with 'ipPermissions'",
		)
	}
	if len(q.permissions) == 0 && len(named) == 0 {
		return wire.Errorf(
			"MissingParameter",
			"Either 'ipPermissions' or 'securityGroupRuleDescriptions' should be provided.",
		)
	}
	return a.change(ctx, dryRun, func(tx *store.Tx, region identity.Region) error {
		group, err := groupByIDOrName(tx, region, q.groupID, q.groupName)
		if err != nil {
			return err
		}
		texts := map[string]string{}
		for _, d := range named {
			q.ids = []string{aws.ToString(d.SecurityGroupRuleId)}
			if _, err := q.selectedRuleIDs(tx, group, nil); err != nil {
				return err
			}
			if !validGroupText(aws.ToString(d.Description)) {
				return invalidRuleDescription()
			}
			texts[q.ids[0]] = aws.ToString(d.Description)
		}
		rules, err := parsePermissions(tx, group, q.permissions)
		if err != nil {
			return err
		}
		for _, rule := range rules {
			rule.Egress = q.egress
			i := indexOfRule(group, rule)
			if i < 0 {
				return ruleNotFound()
			}
			texts[group.Rules[i].ID] = rule.Description
		}
		for id, text := range texts {
			editRule(
				tx,
				groupRule{group, store.SecurityGroupRule{ID: id}},
				func(rule *store.SecurityGroupRule) { rule.Description = text },
			)
		}
		return nil
	})
}

// UpdateSecurityGroupRuleDescriptionsIngress changes the descriptions of inbound
// rules.
func (a *API) UpdateSecurityGroupRuleDescriptionsIngress(
	ctx context.Context, in *ec2.UpdateSecurityGroupRuleDescriptionsIngressInput,
) (*ec2.UpdateSecurityGroupRuleDescriptionsIngressOutput, error) {
	q := ruleRequest{groupID: in.GroupId, groupName: in.GroupName, permissions: in.IpPermissions}
	return &ec2.UpdateSecurityGroupRuleDescriptionsIngressOutput{
		Return: aws.Bool(true),
	}, a.updateRuleDescriptions(ctx, in.DryRun, q, in.SecurityGroupRuleDescriptions)
}

// UpdateSecurityGroupRuleDescriptionsEgress changes the descriptions of outbound
// rules.
func (a *API) UpdateSecurityGroupRuleDescriptionsEgress(
	ctx context.Context, in *ec2.UpdateSecurityGroupRuleDescriptionsEgressInput,
) (*ec2.UpdateSecurityGroupRuleDescriptionsEgressOutput, error) {
	q := ruleRequest{egress: true, groupID: in.GroupId, groupName: in.GroupName, permissions: in.IpPermissions}
	return &ec2.UpdateSecurityGroupRuleDescriptionsEgressOutput{
		Return: aws.Bool(true),
	}, a.updateRuleDescriptions(ctx, in.DryRun, q, in.SecurityGroupRuleDescriptions)
}
