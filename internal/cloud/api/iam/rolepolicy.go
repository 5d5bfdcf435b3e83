package iam

import (
	"context"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"aloft.dev/aloft/internal/cloud/policydocument"
	"aloft.dev/aloft/internal/cloud/store"
)

// PutRolePolicy adds an inline policy to a role or replaces it.
func (a *API) PutRolePolicy(ctx context.Context, in *iam.PutRolePolicyInput) (*iam.PutRolePolicyOutput, error) {
	if err := checkRolePolicy(in.RoleName, in.PolicyName); err != nil {
		return nil, err
	}
	if _, err := parse(policydocument.Identity, "policyDocument", in.PolicyDocument); err != nil {
		return nil, err
	}
	return &iam.PutRolePolicyOutput{}, a.editRole(ctx, in.RoleName, func(_ *store.Tx, row *store.Role) error {
		inline := maps.Clone(row.Inline)
		if inline == nil {
			inline = map[string]string{}
		}
		inline[*in.PolicyName] = *in.PolicyDocument
		size := 0
		for document := range maps.Values(inline) {
			size += sizeOf(document)
		}
		if size > maxInline {
			return limitExceeded("Maximum policy size of %d bytes exceeded for role %s", maxInline, row.Name)
		}
		row.Inline = inline
		return nil
	})
}

func checkRolePolicy(role, policy *string) error {
	if err := checkName("roleName", role, maxRoleName); err != nil {
		return err
	}
	return checkName("policyName", policy, maxName)
}

func noSuchRolePolicy(name string) error {
	return noSuchEntity("The role policy with name %s cannot be found.", name)
}

// GetRolePolicy returns an inline policy of a role.
func (a *API) GetRolePolicy(ctx context.Context, in *iam.GetRolePolicyInput) (*iam.GetRolePolicyOutput, error) {
	if err := checkRolePolicy(in.RoleName, in.PolicyName); err != nil {
		return nil, err
	}
	row, err := findRole(ctx, a.Store.Read(ctx), in.RoleName)
	if err != nil {
		return nil, err
	}
	document, ok := row.Inline[*in.PolicyName]
	if !ok {
		return nil, noSuchRolePolicy(*in.PolicyName)
	}
	return &iam.GetRolePolicyOutput{
		RoleName: &row.Name, PolicyName: in.PolicyName, PolicyDocument: encoded(document),
	}, nil
}

// ListRolePolicies lists the names of the inline policies of a role.
func (a *API) ListRolePolicies(
	ctx context.Context, in *iam.ListRolePoliciesInput,
) (*iam.ListRolePoliciesOutput, error) {
	row, err := findRole(ctx, a.Store.Read(ctx), in.RoleName)
	if err != nil {
		return nil, err
	}
	page, err := paginate(slices.Collect(maps.Keys(row.Inline)), itself, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListRolePoliciesOutput{
		PolicyNames: convert(page.items, itself), IsTruncated: page.more, Marker: page.marker,
	}, nil
}

// DeleteRolePolicy deletes an inline policy of a role.
func (a *API) DeleteRolePolicy(
	ctx context.Context, in *iam.DeleteRolePolicyInput,
) (*iam.DeleteRolePolicyOutput, error) {
	if err := checkRolePolicy(in.RoleName, in.PolicyName); err != nil {
		return nil, err
	}
	return &iam.DeleteRolePolicyOutput{}, a.editRole(ctx, in.RoleName, func(_ *store.Tx, row *store.Role) error {
		if _, ok := row.Inline[aws.ToString(in.PolicyName)]; !ok {
			return noSuchRolePolicy(*in.PolicyName)
		}
		row.Inline = maps.Clone(row.Inline)
		delete(row.Inline, *in.PolicyName)
		return nil
	})
}
