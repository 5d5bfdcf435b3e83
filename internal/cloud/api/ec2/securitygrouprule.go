package ec2

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// groupRule is a rule with its security group.
type groupRule struct {
	group *store.SecurityGroup
	rule  store.SecurityGroupRule
}

// securityGroupRules defines the ids and errors of rules. Rules have no table: they
// are part of their security group's row.
var securityGroupRules = resourceType[store.SecurityGroupRule]{
	kind: types.ResourceTypeSecurityGroupRule, prefix: "sgr-",
	notFoundCode: "InvalidSecurityGroupRuleId.NotFound", notFoundText: "The security group rule ID",
	malformedCode: "InvalidSecurityGroupRuleId.Malformed",
	malformedText: "The security group rule ID '%s' is malformed",
}

var groupRuleFilters = withTagFilters(func(g groupRule) store.Tags { return g.rule.Tags }, filters[groupRule]{
	"security-group-rule-id": field(func(g groupRule) string { return g.rule.ID }),
	"group-id":               field(func(g groupRule) string { return g.group.ID }),
})

// regionRules returns the rules of a region's security groups in the order of their
// ids.
func regionRules(r store.Reader, region identity.Region) []groupRule {
	var all []groupRule
	for _, group := range store.SecurityGroups.InRegion(r, region) {
		for _, rule := range group.Rules {
			all = append(all, groupRule{group, rule})
		}
	}
	slices.SortFunc(all, func(a, b groupRule) int { return strings.Compare(a.rule.ID, b.rule.ID) })
	return all
}

func findRule(all []groupRule, id string) (groupRule, error) {
	if err := securityGroupRules.checkID(id); err != nil {
		return groupRule{}, err
	}
	i := slices.IndexFunc(all, func(g groupRule) bool { return g.rule.ID == id })
	if i < 0 {
		return groupRule{}, securityGroupRules.notFound(id)
	}
	return all[i], nil
}

// DescribeSecurityGroupRules lists the rules of security groups. A rule has one
// source.
func (a *API) DescribeSecurityGroupRules(
	ctx context.Context, in *ec2.DescribeSecurityGroupRulesInput,
) (*ec2.DescribeSecurityGroupRulesOutput, error) {
	view, region, err := a.read(ctx, in.DryRun)
	if err != nil {
		return nil, err
	}
	pages := pageRequest{in.MaxResults, in.NextToken}
	if err := pages.check("securityGroupRuleIds", len(in.SecurityGroupRuleIds) > 0); err != nil {
		return nil, err
	}
	if err := checkRuleFilters(in.Filters); err != nil {
		return nil, err
	}
	all := regionRules(view, region)
	for _, id := range in.SecurityGroupRuleIds {
		if _, err := findRule(all, id); err != nil {
			return nil, err
		}
	}
	all = slices.DeleteFunc(all, func(g groupRule) bool {
		return len(in.SecurityGroupRuleIds) > 0 && !slices.Contains(in.SecurityGroupRuleIds, g.rule.ID) ||
			!groupRuleFilters.match(view, g, g.rule.Tags, in.Filters)
	})
	rows, next, err := paginate(pages, all, func(g groupRule) string { return g.rule.ID })
	if err != nil {
		return nil, err
	}
	return &ec2.DescribeSecurityGroupRulesOutput{SecurityGroupRules: list(rows, groupRuleItem), NextToken: next}, nil
}

// checkRuleFilters refuses unknown filters and malformed values of the filter
// group-id, which EC2 checks in this operation only.
func checkRuleFilters(requested []types.Filter) error {
	for _, filter := range requested {
		if aws.ToString(filter.Name) != "group-id" {
			continue
		}
		for _, id := range filter.Values {
			if !identity.WellFormed(securityGroups.prefix, id) && !strings.ContainsAny(id, "*?") {
				return wire.Errorf(securityGroups.malformedCode, "The security group ID '%s' is malformed", id)
			}
		}
	}
	return groupRuleFilters.check(requested)
}

func groupRuleItem(g groupRule) types.SecurityGroupRule {
	rule := g.rule
	item := types.SecurityGroupRule{
		SecurityGroupRuleId:  aws.String(rule.ID),
		SecurityGroupRuleArn: aws.String(resourceARN(g.group.Region, "security-group-rule", rule.ID)),
		GroupId:              aws.String(g.group.ID),
		GroupOwnerId:         aws.String(g.group.Region.Account()),
		IsEgress:             aws.Bool(rule.Egress),
		IpProtocol:           aws.String(rule.Protocol),
		FromPort:             aws.Int32(int32(rule.FromPort)),
		ToPort:               aws.Int32(int32(rule.ToPort)),
		Tags:                 tagSet(rule.Tags),
		CidrIpv4:             optionalString(ipv4(rule.CIDR)),
		CidrIpv6:             optionalString(ipv6(rule.CIDR)),
		PrefixListId:         optionalString(rule.PrefixListID),
		Description:          optionalString(rule.Description),
	}
	if rule.GroupID != "" {
		item.ReferencedGroupInfo = &types.ReferencedSecurityGroup{
			GroupId:                aws.String(rule.GroupID),
			UserId:                 aws.String(ownerOfReference(g.group, rule)),
			VpcId:                  optionalString(rule.PeerVPCID),
			VpcPeeringConnectionId: optionalString(rule.PeeringID),
		}
	}
	return item
}

// taggableRules makes rules a taggableType.
type taggableRules struct{}

func (taggableRules) ownsID(id string) bool { return securityGroupRules.ownsID(id) }

func (taggableRules) notFound(id string) error { return securityGroupRules.notFound(id) }

func (taggableRules) editTags(
	tx *store.Tx, region identity.Region, id string, change func(store.Tags) (store.Tags, error),
) error {
	found, err := findRule(regionRules(tx, region), id)
	if err != nil {
		return err
	}
	tags, err := change(found.rule.Tags)
	if err != nil {
		return err
	}
	editRule(tx, found, func(rule *store.SecurityGroupRule) { rule.Tags = tags })
	return nil
}

func (taggableRules) eachTagged(
	r store.Reader, region identity.Region, visit func(types.ResourceType, string, store.Tags),
) {
	for _, g := range regionRules(r, region) {
		visit(securityGroupRules.kind, g.rule.ID, g.rule.Tags)
	}
}

func editRule(tx *store.Tx, g groupRule, edit func(rule *store.SecurityGroupRule)) {
	store.SecurityGroups.Edit(tx, g.group.ID, func(row *store.SecurityGroup) {
		row.Rules = slices.Clone(row.Rules)
		for i := range row.Rules {
			if row.Rules[i].ID == g.rule.ID {
				edit(&row.Rules[i])
			}
		}
	})
}

// duplicateRule returns EC2's error for adding a rule that exists.
func duplicateRule(rule store.SecurityGroupRule) error {
	peer := cmp.Or(rule.GroupID, rule.PrefixListID)
	if peer == "" {
		peer = rule.CIDR.String()
	}
	text := "peer: " + peer + ", ALL, ALLOW"
	if rule.Protocol != anyProtocol {
		text = fmt.Sprintf(
			"peer: %s, %s, from port: %s, to port: %s, ALLOW",
			peer,
			strings.ToUpper(rule.Protocol),
			strconv.Itoa(rule.FromPort),
			strconv.Itoa(rule.ToPort),
		)
	}
	return wire.Errorf("InvalidPermission.Duplicate", "the specified rule \"%s\" already exists", text)
}

func indexOfRule(group *store.SecurityGroup, rule store.SecurityGroupRule) int {
	return slices.IndexFunc(
		group.Rules,
		func(other store.SecurityGroupRule) bool { return other.Egress == rule.Egress && sameRule(other, rule) },
	)
}

func ruleNotFound() error {
	return wire.Errorf("InvalidPermission.NotFound", "The specified rule does not exist in this security group.")
}
