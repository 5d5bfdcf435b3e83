package resource

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

var roleKind = kind{
	name:   stack.KindRole,
	find:   findRoles,
	create: created((*Provisioner).createRole),
	update: updated((*Provisioner).updateRole),
	remove: (*Provisioner).deleteRole,
}

type roleAPI interface {
	GetRole(context.Context, *iam.GetRoleInput, ...func(*iam.Options)) (*iam.GetRoleOutput, error)
	CreateRole(context.Context, *iam.CreateRoleInput, ...func(*iam.Options)) (*iam.CreateRoleOutput, error)
	UpdateAssumeRolePolicy(
		context.Context, *iam.UpdateAssumeRolePolicyInput, ...func(*iam.Options),
	) (*iam.UpdateAssumeRolePolicyOutput, error)
	TagRole(context.Context, *iam.TagRoleInput, ...func(*iam.Options)) (*iam.TagRoleOutput, error)
	UntagRole(context.Context, *iam.UntagRoleInput, ...func(*iam.Options)) (*iam.UntagRoleOutput, error)
	DeleteRole(context.Context, *iam.DeleteRoleInput, ...func(*iam.Options)) (*iam.DeleteRoleOutput, error)
}

type rolePolicyAPI interface {
	GetRolePolicy(context.Context, *iam.GetRolePolicyInput, ...func(*iam.Options)) (*iam.GetRolePolicyOutput, error)
	PutRolePolicy(context.Context, *iam.PutRolePolicyInput, ...func(*iam.Options)) (*iam.PutRolePolicyOutput, error)
	DeleteRolePolicy(
		context.Context, *iam.DeleteRolePolicyInput, ...func(*iam.Options),
	) (*iam.DeleteRolePolicyOutput, error)
	ListRolePolicies(
		context.Context, *iam.ListRolePoliciesInput, ...func(*iam.Options),
	) (*iam.ListRolePoliciesOutput, error)
	ListAttachedRolePolicies(
		context.Context, *iam.ListAttachedRolePoliciesInput, ...func(*iam.Options),
	) (*iam.ListAttachedRolePoliciesOutput, error)
	DetachRolePolicy(
		context.Context, *iam.DetachRolePolicyInput, ...func(*iam.Options),
	) (*iam.DetachRolePolicyOutput, error)
}

// findRoles finds the role by its name. A role of that name without the application's tag
// is somebody else's.
func findRoles(ctx context.Context, d *discovery) ([]plan.Found, error) {
	name := stack.RoleName(d.App, d.Region)
	out, err := d.IAM.GetRole(ctx, &iam.GetRoleInput{RoleName: &name})
	if awsapi.IsNotFound(err) || d.unneeded(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read role %s: %w", name, err)
	}
	f, ok := d.foundByIAMTags(stack.KindRole, name, out.Role.Tags)
	if !ok {
		return nil, nil
	}
	f.Created = aws.ToTime(out.Role.CreateDate).UTC().Format("2006-01-02T15:04:05Z")
	f.Set(stack.AttrTrusts, principalOf(unescaped(out.Role.AssumeRolePolicyDocument)))
	in := &iam.GetRolePolicyInput{RoleName: &name, PolicyName: aws.String(stack.RolePolicy)}
	policy, err := d.IAM.GetRolePolicy(ctx, in)
	switch {
	case awsapi.IsNotFound(err):
	case err != nil:
		return nil, fmt.Errorf("read the policy of role %s: %w", name, err)
	default:
		f.Set(stack.AttrPermissions, statementsOf(unescaped(policy.PolicyDocument))...)
	}
	return []plan.Found{f}, nil
}

// unneeded reports whether an error does not matter: the credentials do not allow to look
// for what the spec does not ask for, or the endpoint does not offer it. If the endpoint's
// gaps are reported, they are.
func (d *discovery) unneeded(err error) bool {
	return !d.Identity && (awsapi.IsForbidden(err) || d.unchecked == nil && awsapi.IsUnsupported(err))
}

// foundByIAMTags returns a resource of IAM that has the application's tags.
func (c *Cloud) foundByIAMTags(kind stack.Kind, name string, tags []types.Tag) (plan.Found, bool) {
	all := tagsOf(tags, func(t types.Tag) (key, value *string) { return t.Key, t.Value })
	f := plan.Found{Address: all[stack.TagAddress], Kind: kind, ID: name, Name: name}
	f.Set(stack.AttrName, name)
	setTags(&f, all)
	return f, all[stack.TagApp] == c.App
}

func iamTags(tags []tag) []types.Tag {
	all := make([]types.Tag, len(tags))
	for i, t := range tags {
		all[i] = types.Tag{Key: aws.String(t.key), Value: aws.String(t.value)}
	}
	return all
}

// unescaped returns a document of IAM, which is URL-encoded (IAM API Reference, GetRole).
func unescaped(document *string) string {
	text, err := url.PathUnescape(aws.ToString(document))
	if err != nil {
		return aws.ToString(document)
	}
	return text
}

// list is a text or a list of texts, as elements of policies are.
type list []string

// UnmarshalJSON implements json.Unmarshaler.
func (l *list) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*l = list{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(l))
}

// rawStatements returns the statements of a policy.
func rawStatements(document string) []json.RawMessage {
	var all struct{ Statement json.RawMessage }
	var statements []json.RawMessage
	if json.Unmarshal([]byte(document), &all) != nil {
		return []json.RawMessage{json.RawMessage(document)}
	}
	if json.Unmarshal(all.Statement, &statements) != nil {
		return []json.RawMessage{all.Statement}
	}
	return statements
}

// statementsOf returns a text for each statement of a policy: as stack.Statement has it if
// it only allows actions, and otherwise the statement's JSON.
func statementsOf(document string) []string {
	var all []string
	for _, raw := range rawStatements(document) {
		var s struct {
			Effect           string
			Action, Resource list
		}
		if onlyHas(raw, "Effect", "Action", "Resource") && json.Unmarshal(raw, &s) == nil && s.Effect == "Allow" {
			all = append(all, stack.Statement{Action: s.Action, Resource: s.Resource}.String())
		} else {
			all = append(all, string(raw))
		}
	}
	return all
}

// onlyHas reports whether an object of JSON has no other keys.
func onlyHas(raw json.RawMessage, keys ...string) bool {
	var object map[string]json.RawMessage
	if json.Unmarshal(raw, &object) != nil {
		return false
	}
	for key := range object {
		if !slices.Contains(keys, key) {
			return false
		}
	}
	return true
}

// principalOf returns the services that may assume a role by its trust document, or that
// document if it says anything else.
func principalOf(document string) string {
	statements := rawStatements(document)
	if len(statements) != 1 || !onlyHas(statements[0], "Effect", "Action", "Principal", "Sid") {
		return document
	}
	var s struct {
		Effect    string
		Action    list
		Principal struct{ AWS, Federated, CanonicalUser, Service list }
	}
	err := json.Unmarshal(statements[0], &s)
	p := s.Principal
	if err != nil || s.Effect != "Allow" || !slices.Equal(s.Action, list{"sts:AssumeRole"}) ||
		len(p.AWS)+len(p.Federated)+len(p.CanonicalUser) > 0 {
		return document
	}
	return strings.Join(p.Service, ", ")
}

func (p *Provisioner) createRole(ctx context.Context, r stack.Resource, body stack.Role) (plan.Found, error) {
	out, err := p.IAM.CreateRole(ctx, &iam.CreateRoleInput{
		RoleName: &body.RoleName, AssumeRolePolicyDocument: aws.String(body.Trust()),
		Description: aws.String("Aloft: the servers of " + p.App), Tags: iamTags(p.tags(r)),
	})
	if awsapi.IsExists(err) {
		return plan.Found{}, nameTaken(r, "a role", body.RoleName, err)
	}
	if err != nil {
		return plan.Found{}, fmt.Errorf("create role %s: %w", body.RoleName, err)
	}
	f := plan.Found{Address: r.Address, Kind: stack.KindRole, ID: aws.ToString(out.Role.RoleName), Name: body.RoleName}
	return f, p.putRolePolicy(ctx, body)
}

func (p *Provisioner) updateRole(ctx context.Context, _ stack.Resource, body stack.Role, current plan.Found) error {
	if current.Value(stack.AttrTrusts) != body.Principal {
		what := "set who may assume role " + body.RoleName
		err := retryEventual(ctx, what, func(ctx context.Context) error {
			_, err := p.IAM.UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{
				RoleName: &body.RoleName, PolicyDocument: aws.String(body.Trust()),
			})
			return err
		})
		if err != nil {
			return err
		}
	}
	return p.putRolePolicy(ctx, body)
}

func (p *Provisioner) putRolePolicy(ctx context.Context, body stack.Role) error {
	return retryEventual(ctx, "set the policy of role "+body.RoleName, func(ctx context.Context) error {
		_, err := p.IAM.PutRolePolicy(ctx, &iam.PutRolePolicyInput{
			RoleName: &body.RoleName, PolicyName: aws.String(stack.RolePolicy),
			PolicyDocument: aws.String(body.Policy()),
		})
		return err
	})
}

// deleteRole deletes a role with its policy, and with those that somebody has added.
func (p *Provisioner) deleteRole(ctx context.Context, f plan.Found) error {
	if err := p.deleteRolePolicy(ctx, f.ID, stack.RolePolicy); err != nil {
		return err
	}
	_, err := p.IAM.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: &f.ID})
	if awsapi.IsInUse(err) {
		if err := p.emptyRole(ctx, f.ID); err != nil {
			return err
		}
		return p.deleteWhenUnused(ctx, f, func(ctx context.Context) error {
			_, err := p.IAM.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: &f.ID})
			return err
		})
	}
	return ignoreNotFound("delete role "+f.ID, err)
}

func (p *Provisioner) deleteRolePolicy(ctx context.Context, role, policy string) error {
	_, err := p.IAM.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: &role, PolicyName: &policy})
	return ignoreNotFound(fmt.Sprintf("delete policy %s of role %s", policy, role), err)
}

// emptyRole removes all policies from a role.
func (p *Provisioner) emptyRole(ctx context.Context, role string) error {
	names, err := collect(ctx, iam.NewListRolePoliciesPaginator(p.IAM, &iam.ListRolePoliciesInput{RoleName: &role}),
		func(page *iam.ListRolePoliciesOutput) []string { return page.PolicyNames })
	if err := ignoreNotFound("list the policies of role "+role, err); err != nil {
		return err
	}
	for _, name := range names {
		if err := p.deleteRolePolicy(ctx, role, name); err != nil {
			return err
		}
	}
	attached, err := collect(ctx,
		iam.NewListAttachedRolePoliciesPaginator(p.IAM, &iam.ListAttachedRolePoliciesInput{RoleName: &role}),
		func(page *iam.ListAttachedRolePoliciesOutput) []types.AttachedPolicy { return page.AttachedPolicies })
	if err := ignoreNotFound("list the policies attached to role "+role, err); err != nil {
		return err
	}
	for _, a := range attached {
		_, err := p.IAM.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: &role, PolicyArn: a.PolicyArn})
		if err := ignoreNotFound("detach "+aws.ToString(a.PolicyArn)+" from role "+role, err); err != nil {
			return err
		}
	}
	return nil
}
