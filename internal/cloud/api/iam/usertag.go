package iam

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"aloft.dev/aloft/internal/cloud/store"
)

// TagUser adds tags to a user. A tag replaces one with the same key.
func (a *API) TagUser(ctx context.Context, in *iam.TagUserInput) (*iam.TagUserOutput, error) {
	if in.Tags == nil {
		return nil, model.Null("tags")
	}
	return &iam.TagUserOutput{}, a.editUser(ctx, in.UserName, func(_ *store.Tx, row *store.User) (err error) {
		row.Tags, err = insensitive.merge(row.Tags, in.Tags)
		return err
	})
}

// UntagUser removes the tags with the keys from a user.
func (a *API) UntagUser(ctx context.Context, in *iam.UntagUserInput) (*iam.UntagUserOutput, error) {
	if err := checkTagKeys(in.TagKeys); err != nil {
		return nil, err
	}
	return &iam.UntagUserOutput{}, a.editUser(ctx, in.UserName, func(_ *store.Tx, row *store.User) error {
		row.Tags = insensitive.without(row.Tags, in.TagKeys...)
		return nil
	})
}

// ListUserTags lists the tags of a user.
func (a *API) ListUserTags(ctx context.Context, in *iam.ListUserTagsInput) (*iam.ListUserTagsOutput, error) {
	row, err := findUser(ctx, a.Store.Read(ctx), in.UserName)
	if err != nil {
		return nil, err
	}
	page, err := tagPage(row.Tags, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListUserTagsOutput{Tags: page.items, IsTruncated: page.more, Marker: page.marker}, nil
}
