package iam

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// PutGroupPolicy adds an inline policy to a group or replaces it.
func (a *API) PutGroupPolicy(ctx context.Context, in *iam.PutGroupPolicyInput) (*iam.PutGroupPolicyOutput, error) {
	return &iam.PutGroupPolicyOutput{}, a.putInline(ctx, groups(), in.GroupName, in.PolicyName, in.PolicyDocument)
}

// GetGroupPolicy returns an inline policy of a group.
func (a *API) GetGroupPolicy(ctx context.Context, in *iam.GetGroupPolicyInput) (*iam.GetGroupPolicyOutput, error) {
	name, document, err := a.inline(ctx, groups(), in.GroupName, in.PolicyName)
	if err != nil {
		return nil, err
	}
	return &iam.GetGroupPolicyOutput{GroupName: name, PolicyName: in.PolicyName, PolicyDocument: document}, nil
}

// ListGroupPolicies lists the names of the inline policies of a group.
func (a *API) ListGroupPolicies(
	ctx context.Context, in *iam.ListGroupPoliciesInput,
) (*iam.ListGroupPoliciesOutput, error) {
	page, err := a.listInline(ctx, groups(), in.GroupName, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListGroupPoliciesOutput{PolicyNames: page.items, IsTruncated: page.more, Marker: page.marker}, nil
}

// DeleteGroupPolicy deletes an inline policy of a group.
func (a *API) DeleteGroupPolicy(
	ctx context.Context, in *iam.DeleteGroupPolicyInput,
) (*iam.DeleteGroupPolicyOutput, error) {
	return &iam.DeleteGroupPolicyOutput{}, a.deleteInline(ctx, groups(), in.GroupName, in.PolicyName)
}

// AttachGroupPolicy attaches a managed policy to a group. It succeeds if the group has the
// policy already.
func (a *API) AttachGroupPolicy(
	ctx context.Context, in *iam.AttachGroupPolicyInput,
) (*iam.AttachGroupPolicyOutput, error) {
	return &iam.AttachGroupPolicyOutput{}, a.attach(ctx, groups(), in.GroupName, in.PolicyArn)
}

// DetachGroupPolicy detaches a managed policy from a group.
func (a *API) DetachGroupPolicy(
	ctx context.Context, in *iam.DetachGroupPolicyInput,
) (*iam.DetachGroupPolicyOutput, error) {
	return &iam.DetachGroupPolicyOutput{}, a.detach(ctx, groups(), in.GroupName, in.PolicyArn)
}

// ListAttachedGroupPolicies lists the managed policies of a group.
func (a *API) ListAttachedGroupPolicies(
	ctx context.Context, in *iam.ListAttachedGroupPoliciesInput,
) (*iam.ListAttachedGroupPoliciesOutput, error) {
	page, err := a.listAttached(ctx, groups(), in.GroupName, in.PathPrefix, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListAttachedGroupPoliciesOutput{
		AttachedPolicies: page.items, IsTruncated: page.more, Marker: page.marker,
	}, nil
}
