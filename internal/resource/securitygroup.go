package resource

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// TemporaryRule is the description of a rule that allows access only for the
// duration of a command. No stack has such a rule, so the next run revokes one that
// a crash left behind.
const TemporaryRule = "aloft:temporary"

var securityGroupKind = kind{
	name:   stack.KindSecurityGroup,
	find:   listed((*Cloud).securityGroups),
	create: created((*Provisioner).createSecurityGroup),
	update: updated((*Provisioner).updateSecurityGroup),
	remove: (*Provisioner).deleteSecurityGroup,
}

type securityGroupAPI interface {
	DescribeSecurityGroups(
		context.Context, *ec2.DescribeSecurityGroupsInput, ...func(*ec2.Options),
	) (*ec2.DescribeSecurityGroupsOutput, error)
	CreateSecurityGroup(
		context.Context, *ec2.CreateSecurityGroupInput, ...func(*ec2.Options),
	) (*ec2.CreateSecurityGroupOutput, error)
	AuthorizeSecurityGroupIngress(
		context.Context, *ec2.AuthorizeSecurityGroupIngressInput, ...func(*ec2.Options),
	) (*ec2.AuthorizeSecurityGroupIngressOutput, error)
	AuthorizeSecurityGroupEgress(
		context.Context, *ec2.AuthorizeSecurityGroupEgressInput, ...func(*ec2.Options),
	) (*ec2.AuthorizeSecurityGroupEgressOutput, error)
	RevokeSecurityGroupIngress(
		context.Context, *ec2.RevokeSecurityGroupIngressInput, ...func(*ec2.Options),
	) (*ec2.RevokeSecurityGroupIngressOutput, error)
	RevokeSecurityGroupEgress(
		context.Context, *ec2.RevokeSecurityGroupEgressInput, ...func(*ec2.Options),
	) (*ec2.RevokeSecurityGroupEgressOutput, error)
	DeleteSecurityGroup(
		context.Context, *ec2.DeleteSecurityGroupInput, ...func(*ec2.Options),
	) (*ec2.DeleteSecurityGroupOutput, error)
}

func (c *Cloud) securityGroups(ctx context.Context) ([]plan.Found, error) {
	list, err := collect(
		ctx,
		ec2.NewDescribeSecurityGroupsPaginator(c.EC2, &ec2.DescribeSecurityGroupsInput{Filters: c.tagged()}),
		func(page *ec2.DescribeSecurityGroupsOutput) []types.SecurityGroup { return page.SecurityGroups },
	)
	return describe(list, describeSecurityGroup), awsapi.Wrap("list security groups", err)
}

func describeSecurityGroup(g types.SecurityGroup) plan.Found {
	f := foundByTags(stack.KindSecurityGroup, g.GroupId, g.Tags)
	f.Name = aws.ToString(g.GroupName)
	f.Set(stack.AttrVPC, aws.ToString(g.VpcId))
	f.Set(stack.AttrName, f.Name)
	f.Status.Inbound = rulesOf(g.IpPermissions, false)
	f.Status.Outbound = rulesOf(g.IpPermissionsEgress, true)
	f.Status.Temporary = temporaryRules(g.IpPermissions)
	f.Set(stack.AttrInbound, ruleTexts(f.Status.Inbound)...)
	f.Set(stack.AttrOutbound, ruleTexts(f.Status.Outbound)...)
	return f
}

// temporaryRules returns the rules that are described as temporary. They allow
// access from IPv4 addresses.
func temporaryRules(permissions []types.IpPermission) []stack.Rule {
	var rules []stack.Rule
	for _, p := range permissions {
		ranges := slices.DeleteFunc(slices.Clone(p.IpRanges), func(r types.IpRange) bool {
			return aws.ToString(r.Description) != TemporaryRule
		})
		temporary := types.IpPermission{
			IpProtocol: p.IpProtocol, FromPort: p.FromPort, ToPort: p.ToPort, IpRanges: ranges,
		}
		rules = append(rules, rulesOf([]types.IpPermission{temporary}, false)...)
	}
	return rules
}

func (p *Provisioner) createSecurityGroup(
	ctx context.Context,
	r stack.Resource,
	body stack.SecurityGroup,
) (plan.Found, error) {
	f := plan.Found{Address: r.Address, Kind: stack.KindSecurityGroup, Name: body.GroupName}
	err := retryEventual(ctx, "create "+body.Title(), func(ctx context.Context) error {
		out, err := p.EC2.CreateSecurityGroup(ctx, &ec2.CreateSecurityGroupInput{
			VpcId:             p.id(body.VPC),
			GroupName:         &body.GroupName,
			Description:       &body.Description,
			TagSpecifications: tagSpecifications(p.tags(r), types.ResourceTypeSecurityGroup),
		})
		if err == nil {
			f.ID = aws.ToString(out.GroupId)
		}
		return err
	})
	if err != nil {
		return f, err
	}
	f.Status.Outbound = []stack.Rule{stack.AllOutbound} // EC2 adds it to every new group
	return f, p.updateSecurityGroup(ctx, r, body, f)
}

func (p *Provisioner) updateSecurityGroup(
	ctx context.Context,
	_ stack.Resource,
	body stack.SecurityGroup,
	current plan.Found,
) error {
	var inbound []stack.Rule
	for _, rule := range body.Inbound {
		if rule.Group.Address != "" {
			rule.GroupID, rule.Group = *p.id(rule.Group), stack.Ref{}
		}
		inbound = append(inbound, rule)
	}
	if err := p.setRules(ctx, current.ID, current.Status.Inbound, inbound); err != nil {
		return err
	}
	return p.setRules(ctx, current.ID, current.Status.Outbound, body.OutboundRules())
}

// setRules allows the missing rules before it revokes the surplus ones, so that
// traffic which both the old and the new rules allow is never interrupted.
func (c *Cloud) setRules(ctx context.Context, group string, current, desired []stack.Rule) error {
	desired = slices.Compact(slices.SortedFunc(slices.Values(desired), func(a, b stack.Rule) int {
		return cmp.Compare(a.String(), b.String())
	}))
	for _, rule := range desired { // one per call: EC2 rejects all rules of a call if it has one of them
		if slices.Contains(current, rule) {
			continue
		}
		what := fmt.Sprintf("allow %s in security group %s", rule, group)
		err := retryEventual(ctx, what, func(ctx context.Context) error {
			_, err := c.allow(ctx, group, rule, "")
			return err
		})
		if err != nil {
			return err
		}
	}
	surplus := slices.DeleteFunc(slices.Clone(current), func(r stack.Rule) bool { return slices.Contains(desired, r) })
	return c.Revoke(ctx, group, surplus...)
}

// AllowTemporarily adds an inbound rule that is marked as temporary. added reports
// whether the security group did not have the rule before.
func (c *Cloud) AllowTemporarily(ctx context.Context, group string, rule stack.Rule) (added bool, err error) {
	return c.allow(ctx, group, rule, TemporaryRule)
}

// allow adds a rule. added reports whether the group did not have it before.
func (c *Cloud) allow(ctx context.Context, group string, rule stack.Rule, description string) (added bool, err error) {
	list := []types.IpPermission{permission(rule, description)}
	return awsapi.AddOnce(ctx, func(ctx context.Context) (err error) {
		if rule.Egress {
			in := &ec2.AuthorizeSecurityGroupEgressInput{GroupId: &group, IpPermissions: list}
			_, err = c.EC2.AuthorizeSecurityGroupEgress(ctx, in, awsapi.SendOnce)
		} else {
			in := &ec2.AuthorizeSecurityGroupIngressInput{GroupId: &group, IpPermissions: list}
			_, err = c.EC2.AuthorizeSecurityGroupIngress(ctx, in, awsapi.SendOnce)
		}
		return err
	})
}

// Revoke removes rules, which are either all inbound or all outbound. Rules that
// the group does not have are ignored.
func (c *Cloud) Revoke(ctx context.Context, group string, rules ...stack.Rule) (err error) {
	if len(rules) == 0 {
		return nil
	}
	list := permissions(rules)
	if rules[0].Egress {
		in := &ec2.RevokeSecurityGroupEgressInput{GroupId: &group, IpPermissions: list}
		_, err = c.EC2.RevokeSecurityGroupEgress(ctx, in)
	} else {
		in := &ec2.RevokeSecurityGroupIngressInput{GroupId: &group, IpPermissions: list}
		_, err = c.EC2.RevokeSecurityGroupIngress(ctx, in)
	}
	return ignoreNotFound(fmt.Sprintf("revoke %v in security group %s", rules, group), err)
}

// RevokeTemporary revokes temporary rules that an interrupted run left behind.
func (c *Cloud) RevokeTemporary(ctx context.Context, f plan.Found) error {
	return c.Revoke(ctx, f.ID, f.Status.Temporary...)
}

// deleteSecurityGroup first revokes the group's inbound rules, because of two
// groups that refer to each other neither can be deleted.
func (p *Provisioner) deleteSecurityGroup(ctx context.Context, f plan.Found) error {
	if err := p.Revoke(ctx, f.ID, f.Status.Inbound...); err != nil {
		return err
	}
	return p.deleteWhenUnused(ctx, f, func(ctx context.Context) error {
		_, err := p.EC2.DeleteSecurityGroup(ctx, &ec2.DeleteSecurityGroupInput{GroupId: &f.ID})
		return err
	}, awsapi.Filter("group-id", f.ID))
}
