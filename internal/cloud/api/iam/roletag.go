package iam

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"aloft.dev/aloft/internal/cloud/store"
)

// TagRole adds tags to a role. A tag replaces one with the same key.
func (a *API) TagRole(ctx context.Context, in *iam.TagRoleInput) (*iam.TagRoleOutput, error) {
	if in.Tags == nil {
		return nil, model.Null("tags")
	}
	return &iam.TagRoleOutput{}, a.editRole(ctx, in.RoleName, func(_ *store.Tx, row *store.Role) (err error) {
		row.Tags, err = insensitive.merge(row.Tags, in.Tags)
		return err
	})
}

// UntagRole removes the tags with the keys from a role.
func (a *API) UntagRole(ctx context.Context, in *iam.UntagRoleInput) (*iam.UntagRoleOutput, error) {
	if err := checkTagKeys(in.TagKeys); err != nil {
		return nil, err
	}
	return &iam.UntagRoleOutput{}, a.editRole(ctx, in.RoleName, func(_ *store.Tx, row *store.Role) error {
		row.Tags = insensitive.without(row.Tags, in.TagKeys...)
		return nil
	})
}

// ListRoleTags lists the tags of a role.
func (a *API) ListRoleTags(ctx context.Context, in *iam.ListRoleTagsInput) (*iam.ListRoleTagsOutput, error) {
	row, err := findRole(ctx, a.Store.Read(ctx), in.RoleName)
	if err != nil {
		return nil, err
	}
	page, err := tagPage(row.Tags, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListRoleTagsOutput{Tags: page.items, IsTruncated: page.more, Marker: page.marker}, nil
}
