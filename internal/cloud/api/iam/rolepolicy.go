package iam

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// PutRolePolicy adds an inline policy to a role or replaces it.
func (a *API) PutRolePolicy(ctx context.Context, in *iam.PutRolePolicyInput) (*iam.PutRolePolicyOutput, error) {
	return &iam.PutRolePolicyOutput{}, a.putInline(ctx, roles(), in.RoleName, in.PolicyName, in.PolicyDocument)
}

// GetRolePolicy returns an inline policy of a role.
func (a *API) GetRolePolicy(ctx context.Context, in *iam.GetRolePolicyInput) (*iam.GetRolePolicyOutput, error) {
	name, document, err := a.inline(ctx, roles(), in.RoleName, in.PolicyName)
	if err != nil {
		return nil, err
	}
	return &iam.GetRolePolicyOutput{RoleName: name, PolicyName: in.PolicyName, PolicyDocument: document}, nil
}

// ListRolePolicies lists the names of the inline policies of a role.
func (a *API) ListRolePolicies(
	ctx context.Context, in *iam.ListRolePoliciesInput,
) (*iam.ListRolePoliciesOutput, error) {
	page, err := a.listInline(ctx, roles(), in.RoleName, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListRolePoliciesOutput{PolicyNames: page.items, IsTruncated: page.more, Marker: page.marker}, nil
}

// DeleteRolePolicy deletes an inline policy of a role.
func (a *API) DeleteRolePolicy(
	ctx context.Context, in *iam.DeleteRolePolicyInput,
) (*iam.DeleteRolePolicyOutput, error) {
	return &iam.DeleteRolePolicyOutput{}, a.deleteInline(ctx, roles(), in.RoleName, in.PolicyName)
}

// AttachRolePolicy attaches a managed policy to a role. It succeeds if the role has the
// policy already.
func (a *API) AttachRolePolicy(
	ctx context.Context, in *iam.AttachRolePolicyInput,
) (*iam.AttachRolePolicyOutput, error) {
	return &iam.AttachRolePolicyOutput{}, a.attach(ctx, roles(), in.RoleName, in.PolicyArn)
}

// DetachRolePolicy detaches a managed policy from a role.
func (a *API) DetachRolePolicy(
	ctx context.Context, in *iam.DetachRolePolicyInput,
) (*iam.DetachRolePolicyOutput, error) {
	return &iam.DetachRolePolicyOutput{}, a.detach(ctx, roles(), in.RoleName, in.PolicyArn)
}

// ListAttachedRolePolicies lists the managed policies of a role.
func (a *API) ListAttachedRolePolicies(
	ctx context.Context, in *iam.ListAttachedRolePoliciesInput,
) (*iam.ListAttachedRolePoliciesOutput, error) {
	page, err := a.listAttached(ctx, roles(), in.RoleName, in.PathPrefix, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListAttachedRolePoliciesOutput{
		AttachedPolicies: page.items, IsTruncated: page.more, Marker: page.marker,
	}, nil
}

// PutRolePermissionsBoundary makes a managed policy the permissions boundary of a role.
func (a *API) PutRolePermissionsBoundary(
	ctx context.Context, in *iam.PutRolePermissionsBoundaryInput,
) (*iam.PutRolePermissionsBoundaryOutput, error) {
	out := &iam.PutRolePermissionsBoundaryOutput{}
	return out, a.setBoundary(ctx, roles(), in.RoleName, in.PermissionsBoundary)
}

// DeleteRolePermissionsBoundary removes the permissions boundary of a role, if it has
// one.
func (a *API) DeleteRolePermissionsBoundary(
	ctx context.Context, in *iam.DeleteRolePermissionsBoundaryInput,
) (*iam.DeleteRolePermissionsBoundaryOutput, error) {
	return &iam.DeleteRolePermissionsBoundaryOutput{}, a.removeBoundary(ctx, roles(), in.RoleName)
}
