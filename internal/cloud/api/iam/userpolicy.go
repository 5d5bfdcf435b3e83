package iam

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// PutUserPolicy adds an inline policy to a user or replaces it.
func (a *API) PutUserPolicy(ctx context.Context, in *iam.PutUserPolicyInput) (*iam.PutUserPolicyOutput, error) {
	return &iam.PutUserPolicyOutput{}, a.putInline(ctx, users(), in.UserName, in.PolicyName, in.PolicyDocument)
}

// GetUserPolicy returns an inline policy of a user.
func (a *API) GetUserPolicy(ctx context.Context, in *iam.GetUserPolicyInput) (*iam.GetUserPolicyOutput, error) {
	name, document, err := a.inline(ctx, users(), in.UserName, in.PolicyName)
	if err != nil {
		return nil, err
	}
	return &iam.GetUserPolicyOutput{UserName: name, PolicyName: in.PolicyName, PolicyDocument: document}, nil
}

// ListUserPolicies lists the names of the inline policies of a user.
func (a *API) ListUserPolicies(
	ctx context.Context, in *iam.ListUserPoliciesInput,
) (*iam.ListUserPoliciesOutput, error) {
	page, err := a.listInline(ctx, users(), in.UserName, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListUserPoliciesOutput{PolicyNames: page.items, IsTruncated: page.more, Marker: page.marker}, nil
}

// DeleteUserPolicy deletes an inline policy of a user.
func (a *API) DeleteUserPolicy(
	ctx context.Context, in *iam.DeleteUserPolicyInput,
) (*iam.DeleteUserPolicyOutput, error) {
	return &iam.DeleteUserPolicyOutput{}, a.deleteInline(ctx, users(), in.UserName, in.PolicyName)
}

// AttachUserPolicy attaches a managed policy to a user. It succeeds if the user has the
// policy already.
func (a *API) AttachUserPolicy(
	ctx context.Context, in *iam.AttachUserPolicyInput,
) (*iam.AttachUserPolicyOutput, error) {
	return &iam.AttachUserPolicyOutput{}, a.attach(ctx, users(), in.UserName, in.PolicyArn)
}

// DetachUserPolicy detaches a managed policy from a user.
func (a *API) DetachUserPolicy(
	ctx context.Context, in *iam.DetachUserPolicyInput,
) (*iam.DetachUserPolicyOutput, error) {
	return &iam.DetachUserPolicyOutput{}, a.detach(ctx, users(), in.UserName, in.PolicyArn)
}

// ListAttachedUserPolicies lists the managed policies of a user.
func (a *API) ListAttachedUserPolicies(
	ctx context.Context, in *iam.ListAttachedUserPoliciesInput,
) (*iam.ListAttachedUserPoliciesOutput, error) {
	page, err := a.listAttached(ctx, users(), in.UserName, in.PathPrefix, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListAttachedUserPoliciesOutput{
		AttachedPolicies: page.items, IsTruncated: page.more, Marker: page.marker,
	}, nil
}

// PutUserPermissionsBoundary makes a managed policy the permissions boundary of a user.
func (a *API) PutUserPermissionsBoundary(
	ctx context.Context, in *iam.PutUserPermissionsBoundaryInput,
) (*iam.PutUserPermissionsBoundaryOutput, error) {
	out := &iam.PutUserPermissionsBoundaryOutput{}
	return out, a.setBoundary(ctx, users(), in.UserName, in.PermissionsBoundary)
}

// DeleteUserPermissionsBoundary removes the permissions boundary of a user, if it has
// one.
func (a *API) DeleteUserPermissionsBoundary(
	ctx context.Context, in *iam.DeleteUserPermissionsBoundaryInput,
) (*iam.DeleteUserPermissionsBoundaryOutput, error) {
	return &iam.DeleteUserPermissionsBoundaryOutput{}, a.removeBoundary(ctx, users(), in.UserName)
}
