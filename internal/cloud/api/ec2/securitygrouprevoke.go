package ec2

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// revoke removes the rules that a request names by id or by permission from a security
// group. If one rule does not exist, it removes none.
func (a *API) revoke(
	ctx context.Context,
	dryRun *bool,
	q ruleRequest,
) (revoked []types.RevokedSecurityGroupRule, err error) {
	requested, err := q.permissionList()
	if err != nil {
		return nil, err
	}
	if len(requested) > 0 && len(q.ids) > 0 {
		return nil, wire.Errorf(
			"InvalidParameterCombination",
			"The parameter 'securityGroupRuleIds' may not be used in combination with 'ipPermissions'",
		)
	}
	err = a.change(ctx, dryRun, func(tx *store.Tx, region identity.Region) error {
		group, err := groupByIDOrName(tx, region, q.groupID, q.groupName)
		if err != nil {
			return err
		}
		if len(requested) == 0 && len(q.ids) == 0 {
			return wire.Errorf(
				"MissingParameter",
				"Either 'ipPermissions' or 'securityGroupRuleIds' should be provided.",
			)
		}
		gone, err := q.selectedRuleIDs(tx, group, requested)
		if err != nil {
			return err
		}
		rules := slices.DeleteFunc(slices.Clone(group.Rules), func(rule store.SecurityGroupRule) bool {
			if gone[rule.ID] {
				revoked = append(revoked, revokedItem(group, rule))
			}
			return gone[rule.ID]
		})
		store.SecurityGroups.Edit(tx, group.ID, func(row *store.SecurityGroup) { row.Rules = rules })
		return nil
	})
	return revoked, err
}

// selectedRuleIDs returns the ids of the security group's rules that a request names
// by id or by permission.
func (q *ruleRequest) selectedRuleIDs(
	r store.Reader,
	group *store.SecurityGroup,
	requested []types.IpPermission,
) (map[string]bool, error) {
	ids := map[string]bool{}
	for _, id := range q.ids {
		if err := securityGroupRules.checkID(id); err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(
			group.Rules,
			func(rule store.SecurityGroupRule) bool { return rule.ID == id && rule.Egress == q.egress },
		) {
			return nil, securityGroupRules.notFound(id)
		}
		ids[id] = true
	}
	rules, err := parsePermissions(r, group, requested)
	if err != nil {
		return nil, err
	}
	for _, rule := range rules {
		rule.Egress = q.egress
		i := indexOfRule(group, rule)
		if i < 0 {
			return nil, ruleNotFound()
		}
		ids[group.Rules[i].ID] = true
	}
	return ids, nil
}

func revokedItem(group *store.SecurityGroup, rule store.SecurityGroupRule) types.RevokedSecurityGroupRule {
	return types.RevokedSecurityGroupRule{
		SecurityGroupRuleId: aws.String(rule.ID),
		GroupId:             aws.String(group.ID),
		IsEgress:            aws.Bool(rule.Egress),
		IpProtocol:          aws.String(rule.Protocol),
		FromPort:            aws.Int32(int32(rule.FromPort)),
		ToPort:              aws.Int32(int32(rule.ToPort)),
		CidrIpv4:            optionalString(ipv4(rule.CIDR)),
		CidrIpv6:            optionalString(ipv6(rule.CIDR)),
		ReferencedGroupId:   optionalString(rule.GroupID),
		PrefixListId:        optionalString(rule.PrefixListID),
		Description:         optionalString(rule.Description),
	}
}

// RevokeSecurityGroupIngress removes inbound rules from a security group.
func (a *API) RevokeSecurityGroupIngress(
	ctx context.Context, in *ec2.RevokeSecurityGroupIngressInput,
) (*ec2.RevokeSecurityGroupIngressOutput, error) {
	rules, err := a.revoke(ctx, in.DryRun, ruleRequest{
		groupID:          in.GroupId,
		groupName:        in.GroupName,
		permissions:      in.IpPermissions,
		protocol:         in.IpProtocol,
		cidr:             in.CidrIp,
		from:             in.FromPort,
		to:               in.ToPort,
		sourceGroupName:  in.SourceSecurityGroupName,
		sourceGroupOwner: in.SourceSecurityGroupOwnerId,
		ids:              in.SecurityGroupRuleIds,
	})
	if err != nil {
		return nil, err
	}
	return &ec2.RevokeSecurityGroupIngressOutput{Return: aws.Bool(true), RevokedSecurityGroupRules: rules}, nil
}

// RevokeSecurityGroupEgress removes outbound rules from a security group.
func (a *API) RevokeSecurityGroupEgress(
	ctx context.Context, in *ec2.RevokeSecurityGroupEgressInput,
) (*ec2.RevokeSecurityGroupEgressOutput, error) {
	rules, err := a.revoke(ctx, in.DryRun, ruleRequest{
		egress:           true,
		groupID:          in.GroupId,
		permissions:      in.IpPermissions,
		protocol:         in.IpProtocol,
		cidr:             in.CidrIp,
		from:             in.FromPort,
		to:               in.ToPort,
		sourceGroupName:  in.SourceSecurityGroupName,
		sourceGroupOwner: in.SourceSecurityGroupOwnerId,
		ids:              in.SecurityGroupRuleIds,
	})
	if err != nil {
		return nil, err
	}
	return &ec2.RevokeSecurityGroupEgressOutput{Return: aws.Bool(true), RevokedSecurityGroupRules: rules}, nil
}
