package iam

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"aloft.dev/aloft/internal/cloud/store"
)

// TagPolicy adds tags to a policy. A tag replaces one with the same key.
func (a *API) TagPolicy(ctx context.Context, in *iam.TagPolicyInput) (*iam.TagPolicyOutput, error) {
	if in.Tags == nil {
		return nil, model.Null("tags")
	}
	return &iam.TagPolicyOutput{}, a.editPolicy(ctx, in.PolicyArn, func(_ *store.Tx, row *store.Policy) (err error) {
		row.Tags, err = sensitive.merge(row.Tags, in.Tags)
		return err
	})
}

// UntagPolicy removes the tags with the keys from a policy.
func (a *API) UntagPolicy(ctx context.Context, in *iam.UntagPolicyInput) (*iam.UntagPolicyOutput, error) {
	if err := checkTagKeys(in.TagKeys); err != nil {
		return nil, err
	}
	return &iam.UntagPolicyOutput{}, a.editPolicy(ctx, in.PolicyArn, func(_ *store.Tx, row *store.Policy) error {
		row.Tags = sensitive.without(row.Tags, in.TagKeys...)
		return nil
	})
}

// ListPolicyTags lists the tags of a policy.
func (a *API) ListPolicyTags(
	ctx context.Context, in *iam.ListPolicyTagsInput,
) (*iam.ListPolicyTagsOutput, error) {
	found, err := findPolicy(ctx, a.Store.Read(ctx), in.PolicyArn)
	if err != nil {
		return nil, err
	}
	page, err := tagPage(found.Tags, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListPolicyTagsOutput{Tags: page.items, IsTruncated: page.more, Marker: page.marker}, nil
}
