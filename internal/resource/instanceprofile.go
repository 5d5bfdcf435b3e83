package resource

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

var instanceProfileKind = kind{
	name:   stack.KindInstanceProfile,
	find:   findInstanceProfiles,
	create: created((*Provisioner).createInstanceProfile),
	update: updated((*Provisioner).updateInstanceProfile),
	remove: (*Provisioner).deleteInstanceProfile,
}

type instanceProfileAPI interface {
	GetInstanceProfile(
		context.Context, *iam.GetInstanceProfileInput, ...func(*iam.Options),
	) (*iam.GetInstanceProfileOutput, error)
	CreateInstanceProfile(
		context.Context, *iam.CreateInstanceProfileInput, ...func(*iam.Options),
	) (*iam.CreateInstanceProfileOutput, error)
	AddRoleToInstanceProfile(
		context.Context, *iam.AddRoleToInstanceProfileInput, ...func(*iam.Options),
	) (*iam.AddRoleToInstanceProfileOutput, error)
	RemoveRoleFromInstanceProfile(
		context.Context, *iam.RemoveRoleFromInstanceProfileInput, ...func(*iam.Options),
	) (*iam.RemoveRoleFromInstanceProfileOutput, error)
	TagInstanceProfile(
		context.Context, *iam.TagInstanceProfileInput, ...func(*iam.Options),
	) (*iam.TagInstanceProfileOutput, error)
	UntagInstanceProfile(
		context.Context, *iam.UntagInstanceProfileInput, ...func(*iam.Options),
	) (*iam.UntagInstanceProfileOutput, error)
	DeleteInstanceProfile(
		context.Context, *iam.DeleteInstanceProfileInput, ...func(*iam.Options),
	) (*iam.DeleteInstanceProfileOutput, error)
}

// profileAssociationAPI gives instances their instance profiles.
type profileAssociationAPI interface {
	DescribeIamInstanceProfileAssociations(
		context.Context, *ec2.DescribeIamInstanceProfileAssociationsInput, ...func(*ec2.Options),
	) (*ec2.DescribeIamInstanceProfileAssociationsOutput, error)
	AssociateIamInstanceProfile(
		context.Context, *ec2.AssociateIamInstanceProfileInput, ...func(*ec2.Options),
	) (*ec2.AssociateIamInstanceProfileOutput, error)
	ReplaceIamInstanceProfileAssociation(
		context.Context, *ec2.ReplaceIamInstanceProfileAssociationInput, ...func(*ec2.Options),
	) (*ec2.ReplaceIamInstanceProfileAssociationOutput, error)
}

// findInstanceProfiles finds the instance profile by its name, as findRoles does.
func findInstanceProfiles(ctx context.Context, d *discovery) ([]plan.Found, error) {
	name := stack.RoleName(d.App, d.Region)
	out, err := d.IAM.GetInstanceProfile(ctx, &iam.GetInstanceProfileInput{InstanceProfileName: &name})
	if awsapi.IsNotFound(err) || d.unneeded(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read instance profile %s: %w", name, err)
	}
	f, ok := d.foundByIAMTags(stack.KindInstanceProfile, name, out.InstanceProfile.Tags)
	if !ok {
		return nil, nil
	}
	f.Set(stack.AttrRole, rolesIn(out.InstanceProfile)...)
	return []plan.Found{f}, nil
}

// CheckInstanceProfile returns an error if there is no instance profile with a name, or it
// has no role. If the credentials do not allow to look for it, it returns none.
func (c *Cloud) CheckInstanceProfile(ctx context.Context, name string) error {
	out, err := c.IAM.GetInstanceProfile(ctx, &iam.GetInstanceProfileInput{InstanceProfileName: &name})
	d := &diag.Diagnostic{
		Where: "machines.role", Summary: "there is no instance profile " + name,
		Hint: "create it with the role in it: aws iam create-instance-profile, add-role-to-instance-profile; " +
			"or leave machines.role out, and Aloft makes a role",
		Cause: err,
	}
	switch {
	case awsapi.IsForbidden(err):
		return nil
	case awsapi.IsNotFound(err):
		d.Detail = awsapi.Code(err) + ": " + awsapi.Message(err)
		return d
	case err != nil:
		return fmt.Errorf("read instance profile %s: %w", name, err)
	case len(out.InstanceProfile.Roles) == 0:
		d.Summary = fmt.Sprintf("instance profile %s contains no role", name)
		return d
	}
	return nil
}

func rolesIn(p *types.InstanceProfile) []string {
	names := make([]string, len(p.Roles))
	for i, r := range p.Roles {
		names[i] = aws.ToString(r.RoleName)
	}
	return names
}

func (p *Provisioner) createInstanceProfile(
	ctx context.Context, r stack.Resource, body stack.InstanceProfile,
) (plan.Found, error) {
	_, err := p.IAM.CreateInstanceProfile(ctx, &iam.CreateInstanceProfileInput{
		InstanceProfileName: &body.ProfileName, Tags: iamTags(p.tags(r)),
	})
	if awsapi.IsExists(err) {
		return plan.Found{}, nameTaken(r, "an instance profile", body.ProfileName, err)
	}
	if err != nil {
		return plan.Found{}, fmt.Errorf("create instance profile %s: %w", body.ProfileName, err)
	}
	f := plan.Found{
		Address: r.Address, Kind: stack.KindInstanceProfile, ID: body.ProfileName, Name: body.ProfileName,
	}
	return f, p.updateInstanceProfile(ctx, r, body, f)
}

// updateInstanceProfile puts the role into the instance profile, in place of another one.
func (p *Provisioner) updateInstanceProfile(
	ctx context.Context, _ stack.Resource, body stack.InstanceProfile, current plan.Found,
) error {
	role, profile := *p.id(body.Role), body.ProfileName
	roles := current.Values(stack.AttrRole)
	for _, other := range roles {
		if other != role {
			if err := p.removeRole(ctx, profile, other); err != nil {
				return err
			}
		}
	}
	if slices.Contains(roles, role) {
		return nil
	}
	what := fmt.Sprintf("add role %s to instance profile %s", role, profile)
	return retryEventual(ctx, what, func(ctx context.Context) error {
		_, err := p.IAM.AddRoleToInstanceProfile(ctx, &iam.AddRoleToInstanceProfileInput{
			InstanceProfileName: &profile, RoleName: &role,
		})
		if awsapi.Code(err) == "LimitExceeded" && p.holds(ctx, profile, role) {
			return nil // an earlier call, whose response was lost, added it
		}
		return err
	})
}

// holds reports whether an instance profile contains a role. It may contain one.
func (p *Provisioner) holds(ctx context.Context, profile, role string) bool {
	out, err := p.IAM.GetInstanceProfile(ctx, &iam.GetInstanceProfileInput{InstanceProfileName: &profile})
	return err == nil && slices.Contains(rolesIn(out.InstanceProfile), role)
}

func (p *Provisioner) removeRole(ctx context.Context, profile, role string) error {
	_, err := p.IAM.RemoveRoleFromInstanceProfile(ctx, &iam.RemoveRoleFromInstanceProfileInput{
		InstanceProfileName: &profile, RoleName: &role,
	})
	return ignoreNotFound(fmt.Sprintf("remove role %s from instance profile %s", role, profile), err)
}

func (p *Provisioner) deleteInstanceProfile(ctx context.Context, f plan.Found) error {
	for _, role := range f.Values(stack.AttrRole) {
		if err := p.removeRole(ctx, f.ID, role); err != nil {
			return err
		}
	}
	_, err := p.IAM.DeleteInstanceProfile(ctx, &iam.DeleteInstanceProfileInput{InstanceProfileName: &f.ID})
	return ignoreNotFound("delete instance profile "+f.ID, err)
}

// profile returns the name of the instance profile of an identity, or "".
func (p *Provisioner) profile(i stack.Identity) string {
	if i.Profile.Ref.Address != "" {
		return *p.id(i.Profile.Ref)
	}
	return i.Profile.Text
}

// environment returns the id of the environment of an identity, or "".
func (p *Provisioner) environment(i stack.Identity) string {
	if i.Environment.Address == "" {
		return ""
	}
	return *p.id(i.Environment)
}

// profileName returns the name in an instance profile's ARN, which may contain a path.
func profileName(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

// setProfile gives an instance an instance profile, in place of another one. An association
// that is being made can be replaced when it is there.
func (p *Provisioner) setProfile(ctx context.Context, id, profile string) error {
	spec := &ec2types.IamInstanceProfileSpecification{Name: &profile}
	what := fmt.Sprintf("give instance %s the instance profile %s", id, profile)
	notYet := func(err error) bool { return awsapi.IsEventual(err) || awsapi.IsInUse(err) }
	err := awsapi.Retry(ctx, eventualLimit, what, notYet, func(ctx context.Context) error {
		list, err := p.EC2.DescribeIamInstanceProfileAssociations(ctx, &ec2.DescribeIamInstanceProfileAssociationsInput{
			Filters: []ec2types.Filter{
				awsapi.Filter("instance-id", id), awsapi.Filter("state", "associating", "associated"),
			},
		})
		if err != nil {
			return err
		}
		for _, a := range list.IamInstanceProfileAssociations {
			_, err = p.EC2.ReplaceIamInstanceProfileAssociation(ctx, &ec2.ReplaceIamInstanceProfileAssociationInput{
				AssociationId: a.AssociationId, IamInstanceProfile: spec,
			})
			return err
		}
		_, err = p.EC2.AssociateIamInstanceProfile(ctx, &ec2.AssociateIamInstanceProfileInput{
			InstanceId: &id, IamInstanceProfile: spec,
		})
		return err
	})
	return awsapi.Wrap(what, err)
}
