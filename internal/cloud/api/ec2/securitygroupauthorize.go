package ec2

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// ruleRequest holds the parameters that the operations on a security group's rules
// share: a list of permissions or, in the oldest form of the API, the fields of a
// single one.
type ruleRequest struct {
	egress                            bool
	groupID, groupName                *string
	permissions                       []types.IpPermission
	protocol, cidr                    *string
	from, to                          *int32
	sourceGroupName, sourceGroupOwner *string
	tagSpecifications                 []types.TagSpecification
	ids                               []string // rules to revoke
}

// isFlat reports whether the request has the fields of a single permission.
func (q *ruleRequest) isFlat() bool {
	return q.protocol != nil || q.cidr != nil || q.from != nil || q.to != nil || q.sourceGroupName != nil ||
		q.sourceGroupOwner != nil
}

// permissionList returns the permissions of a request in either form.
func (q *ruleRequest) permissionList() ([]types.IpPermission, error) {
	switch {
	case q.isFlat() && len(q.permissions) > 0:
		return nil, wire.Errorf(
			"InvalidParameterCombination",
			"The parameter 'ipPermissions' may not be used in combination with 'ipProtocol', 'cidrIp', 'fromPort', "+
				"'toPort' or 'sourceSecurityGroupName'",
		)
	case !q.isFlat():
		return q.permissions, nil
	case q.egress && q.sourceGroupName != nil:
		return nil, wire.Errorf(
			"InvalidParameterValue",
			"The parameter sourceSecurityGroupName is not supported for outbound rules; use ipPermissions",
		)
	}
	permission := types.IpPermission{IpProtocol: q.protocol, FromPort: q.from, ToPort: q.to}
	if q.sourceGroupName != nil {
		permission.UserIdGroupPairs = []types.UserIdGroupPair{
			{GroupName: q.sourceGroupName, UserId: q.sourceGroupOwner},
		}
		if q.protocol == nil {
			permission.IpProtocol = aws.String(anyProtocol)
		}
	}
	if q.cidr != nil {
		permission.IpRanges = []types.IpRange{{CidrIp: q.cidr}}
		if strings.Contains(*q.cidr, ":") {
			permission.IpRanges, permission.Ipv6Ranges = nil, []types.Ipv6Range{{CidrIpv6: q.cidr}}
		}
	}
	return []types.IpPermission{permission}, nil
}

// authorize adds the rules of a request to a security group. If one rule is invalid,
// it adds none.
func (a *API) authorize(ctx context.Context, dryRun *bool, q ruleRequest) (added []types.SecurityGroupRule, err error) {
	requested, err := q.permissionList()
	if err != nil {
		return nil, err
	}
	tags, err := tagsOfSpecifications(q.tagSpecifications, types.ResourceTypeSecurityGroupRule)
	if err != nil {
		return nil, err
	}
	err = a.change(ctx, dryRun, func(tx *store.Tx, region identity.Region) error {
		group, err := groupByIDOrName(tx, region, q.groupID, q.groupName)
		if err != nil {
			return err
		}
		if len(requested) == 0 {
			return missingParameter("ipPermissions")
		}
		rules, err := parsePermissions(tx, group, requested)
		if err != nil {
			return err
		}
		all := slices.Clone(group.Rules)
		for _, rule := range rules {
			rule.Egress, rule.ID, rule.Tags = q.egress, a.ids.ID(securityGroupRules.prefix),
				tags[types.ResourceTypeSecurityGroupRule]
			if indexOfRule(group, rule) >= 0 {
				return duplicateRule(rule)
			}
			all = append(all, rule)
			added = append(added, groupRuleItem(groupRule{group, rule}))
		}
		if err := a.limitRules(countRules(tx, all, q.egress)); err != nil {
			return err
		}
		store.SecurityGroups.Edit(tx, group.ID, func(row *store.SecurityGroup) { row.Rules = all })
		return nil
	})
	return added, err
}

// countRules returns how many rules of a direction count toward the quota. A rule that refers
// to a prefix list counts as many times as the list may have entries (Amazon VPC User Guide,
// Prefix lists).
func countRules(r store.Reader, rules []store.SecurityGroupRule, egress bool) (n int) {
	for _, rule := range rules {
		if rule.Egress != egress {
			continue
		}
		n++
		if list, ok := store.PrefixLists.Get(r, rule.PrefixListID); ok {
			n += list.MaxEntries - 1
		}
	}
	return n
}

// AuthorizeSecurityGroupIngress adds inbound rules to a security group.
func (a *API) AuthorizeSecurityGroupIngress(
	ctx context.Context, in *ec2.AuthorizeSecurityGroupIngressInput,
) (*ec2.AuthorizeSecurityGroupIngressOutput, error) {
	rules, err := a.authorize(ctx, in.DryRun, ruleRequest{
		groupID:           in.GroupId,
		groupName:         in.GroupName,
		permissions:       in.IpPermissions,
		protocol:          in.IpProtocol,
		cidr:              in.CidrIp,
		from:              in.FromPort,
		to:                in.ToPort,
		sourceGroupName:   in.SourceSecurityGroupName,
		sourceGroupOwner:  in.SourceSecurityGroupOwnerId,
		tagSpecifications: in.TagSpecifications,
	})
	if err != nil {
		return nil, err
	}
	return &ec2.AuthorizeSecurityGroupIngressOutput{Return: aws.Bool(true), SecurityGroupRules: rules}, nil
}

// AuthorizeSecurityGroupEgress adds outbound rules to a security group.
func (a *API) AuthorizeSecurityGroupEgress(
	ctx context.Context, in *ec2.AuthorizeSecurityGroupEgressInput,
) (*ec2.AuthorizeSecurityGroupEgressOutput, error) {
	rules, err := a.authorize(ctx, in.DryRun, ruleRequest{
		egress:            true,
		groupID:           in.GroupId,
		permissions:       in.IpPermissions,
		protocol:          in.IpProtocol,
		cidr:              in.CidrIp,
		from:              in.FromPort,
		to:                in.ToPort,
		sourceGroupName:   in.SourceSecurityGroupName,
		sourceGroupOwner:  in.SourceSecurityGroupOwnerId,
		tagSpecifications: in.TagSpecifications,
	})
	if err != nil {
		return nil, err
	}
	return &ec2.AuthorizeSecurityGroupEgressOutput{Return: aws.Bool(true), SecurityGroupRules: rules}, nil
}
