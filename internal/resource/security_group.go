package resource

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

func (c *Cloud) securityGroups(ctx context.Context) ([]plan.Found, error) {
	all, err := collect(
		ctx,
		ec2.NewDescribeSecurityGroupsPaginator(c.EC2, &ec2.DescribeSecurityGroupsInput{Filters: c.ours()}),
		func(page *ec2.DescribeSecurityGroupsOutput) []types.SecurityGroup { return page.SecurityGroups },
		func(g types.SecurityGroup) plan.Found {
			f := found(stack.KindSecurityGroup, g.GroupId, g.Tags)
			f.Name = aws.ToString(g.GroupName)
			f.Set("vpc", aws.ToString(g.VpcId))
			f.Set("name", f.Name)
			f.Set("in", ruleTexts(g.IpPermissions, "from")...)
			f.Set("out", ruleTexts(g.IpPermissionsEgress, "to")...)
			f.Status["temporary"] = strings.Join(temporaryRules(g.IpPermissions), "\n")
			return f
		},
	)
	if err != nil {
		return nil, fmt.Errorf("list security groups: %w", err)
	}
	return all, nil
}

// temporaryRules are those that let somebody in for a while.
func temporaryRules(permissions []types.IpPermission) []string {
	var rules []string
	for _, p := range permissions {
		p.IpRanges = slices.DeleteFunc(
			slices.Clone(p.IpRanges),
			func(r types.IpRange) bool { return aws.ToString(r.Description) != Temporary },
		)
		p.Ipv6Ranges, p.UserIdGroupPairs, p.PrefixListIds = nil, nil, nil
		rules = append(rules, ruleTexts([]types.IpPermission{p}, "from")...)
	}
	return rules
}

// RevokeTemporary takes back rules that a run which was stopped left in a group.
func (s *Site) RevokeTemporary(ctx context.Context, f plan.Found) error {
	if f.Status["temporary"] == "" {
		return nil
	}
	return s.revoke(ctx, f.ID, "in", strings.Split(f.Status["temporary"], "\n"))
}

func (s *Site) createSecurityGroup(
	ctx context.Context,
	r stack.Resource,
	body stack.SecurityGroup,
) (plan.Found, error) {
	f := plan.Found{Address: r.Address, Kind: stack.KindSecurityGroup, Name: body.GroupName}
	err := s.soon(ctx, "create "+body.Title(), func(ctx context.Context) error {
		made, err := s.EC2.CreateSecurityGroup(ctx, &ec2.CreateSecurityGroupInput{
			VpcId: s.id(body.VPC), GroupName: &body.GroupName, Description: &body.Description,
			TagSpecifications: tagged(s.tags(r), types.ResourceTypeSecurityGroup),
		})
		if err == nil {
			f.ID = aws.ToString(made.GroupId)
		}
		return err
	})
	if err != nil {
		return f, err
	}
	f.Set("out", stack.AllOut) // what EC2 gives every new group
	return f, s.updateSecurityGroup(ctx, body, f)
}

// updateSecurityGroup grants what is missing before it revokes what is too
// much, so that a rule that changes its form lets its packets through all the
// time.
func (s *Site) updateSecurityGroup(ctx context.Context, body stack.SecurityGroup, now plan.Found) error {
	for _, a := range body.Attributes() {
		if a.Name != "in" && a.Name != "out" {
			continue
		}
		var want []string
		for _, term := range a.Terms {
			text := term.Text
			if term.Ref.Address != "" {
				text += *s.id(term.Ref)
			}
			want = append(want, text)
		}
		if err := s.setRules(ctx, now, a.Name, want); err != nil {
			return err
		}
	}
	return nil
}

func (s *Site) setRules(ctx context.Context, now plan.Found, direction string, want []string) error {
	have := now.Values[direction]
	missing := slices.DeleteFunc(
		slices.Compact(slices.Sorted(slices.Values(want))),
		func(rule string) bool { return slices.Contains(have, rule) },
	)
	extra := slices.DeleteFunc(slices.Clone(have), func(rule string) bool { return slices.Contains(want, rule) })
	for _, rule := range missing { // one a call: of several, one that is there already refuses all
		if _, err := s.grant(ctx, now.ID, direction, rule, ""); err != nil {
			return err
		}
	}
	return s.revoke(ctx, now.ID, direction, extra)
}

// grant adds a rule. It tells whether the rule was not there before.
func (s *Site) grant(ctx context.Context, group, direction, rule, description string) (bool, error) {
	list, err := permissions([]string{rule}, description)
	if err != nil {
		return false, err
	}
	added := false
	err = s.soon(ctx, fmt.Sprintf("allow %s in security group %s", rule, group), func(ctx context.Context) (err error) {
		added, err = awsapi.Added(ctx, func(ctx context.Context) (err error) {
			if direction == "in" {
				_, err = s.EC2.AuthorizeSecurityGroupIngress(
					ctx,
					&ec2.AuthorizeSecurityGroupIngressInput{GroupId: &group, IpPermissions: list},
					awsapi.Once,
				)
			} else {
				_, err = s.EC2.AuthorizeSecurityGroupEgress(ctx, &ec2.AuthorizeSecurityGroupEgressInput{GroupId: &group, IpPermissions: list}, awsapi.Once)
			}
			return err
		})
		return err
	})
	return added, err
}

func (s *Site) revoke(ctx context.Context, group, direction string, rules []string) error {
	if len(rules) == 0 {
		return nil
	}
	list, err := permissions(rules, "")
	if err != nil {
		return err
	}
	if direction == "in" {
		_, err = s.EC2.RevokeSecurityGroupIngress(
			ctx,
			&ec2.RevokeSecurityGroupIngressInput{GroupId: &group, IpPermissions: list},
		)
	} else {
		_, err = s.EC2.RevokeSecurityGroupEgress(ctx, &ec2.RevokeSecurityGroupEgressInput{GroupId: &group, IpPermissions: list})
	}
	if err != nil && !awsapi.IsNotFound(err) {
		return fmt.Errorf("revoke %v in security group %s: %w", rules, group, err)
	}
	return nil
}

// deleteSecurityGroup first takes away what the group says of other groups: of
// two that name each other neither can go.
func (s *Site) deleteSecurityGroup(ctx context.Context, f plan.Found) error {
	if err := s.revoke(ctx, f.ID, "in", f.Values["in"]); err != nil {
		return err
	}
	return s.whenFree(ctx, f, func(ctx context.Context) error {
		_, err := s.EC2.DeleteSecurityGroup(ctx, &ec2.DeleteSecurityGroupInput{GroupId: &f.ID})
		return err
	})
}
