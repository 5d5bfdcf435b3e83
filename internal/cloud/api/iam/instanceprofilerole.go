package iam

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"aloft.dev/aloft/internal/cloud/store"
)

// maxProfileRoles is how many roles an instance profile may have.
const maxProfileRoles = 1

// AddRoleToInstanceProfile puts a role into an instance profile that has none.
func (a *API) AddRoleToInstanceProfile(
	ctx context.Context, in *iam.AddRoleToInstanceProfileInput,
) (*iam.AddRoleToInstanceProfileOutput, error) {
	out := &iam.AddRoleToInstanceProfileOutput{}
	return out, a.editProfile(ctx, in.InstanceProfileName, func(tx *store.Tx, row *store.InstanceProfile) error {
		role, err := findRole(ctx, tx, in.RoleName)
		if err != nil {
			return err
		}
		if role.Service != "" {
			return protected(role)
		}
		if row.Role != "" {
			return quotaExceeded("InstanceSessionsPerInstanceProfile", maxProfileRoles)
		}
		row.Role = role.Name
		return nil
	})
}

// RemoveRoleFromInstanceProfile takes a role out of an instance profile.
func (a *API) RemoveRoleFromInstanceProfile(
	ctx context.Context, in *iam.RemoveRoleFromInstanceProfileInput,
) (*iam.RemoveRoleFromInstanceProfileOutput, error) {
	out := &iam.RemoveRoleFromInstanceProfileOutput{}
	return out, a.editProfile(ctx, in.InstanceProfileName, func(tx *store.Tx, row *store.InstanceProfile) error {
		role, err := findRole(ctx, tx, in.RoleName)
		if err != nil {
			return err
		}
		if row.Role == "" || !strings.EqualFold(row.Role, role.Name) {
			return roleNotFound(role.Name)
		}
		row.Role = ""
		return nil
	})
}

// TagInstanceProfile adds tags to an instance profile. A tag replaces one with the same
// key.
func (a *API) TagInstanceProfile(
	ctx context.Context, in *iam.TagInstanceProfileInput,
) (*iam.TagInstanceProfileOutput, error) {
	if in.Tags == nil {
		return nil, model.Null("tags")
	}
	out := &iam.TagInstanceProfileOutput{}
	return out, a.editProfile(ctx, in.InstanceProfileName, func(_ *store.Tx, row *store.InstanceProfile) (err error) {
		row.Tags, err = sensitive.merge(row.Tags, in.Tags)
		return err
	})
}

// UntagInstanceProfile removes the tags with the keys from an instance profile.
func (a *API) UntagInstanceProfile(
	ctx context.Context, in *iam.UntagInstanceProfileInput,
) (*iam.UntagInstanceProfileOutput, error) {
	if err := checkTagKeys(in.TagKeys); err != nil {
		return nil, err
	}
	out := &iam.UntagInstanceProfileOutput{}
	return out, a.editProfile(ctx, in.InstanceProfileName, func(_ *store.Tx, row *store.InstanceProfile) error {
		row.Tags = sensitive.without(row.Tags, in.TagKeys...)
		return nil
	})
}

// ListInstanceProfileTags lists the tags of an instance profile.
func (a *API) ListInstanceProfileTags(
	ctx context.Context, in *iam.ListInstanceProfileTagsInput,
) (*iam.ListInstanceProfileTagsOutput, error) {
	row, err := findProfile(ctx, a.Store.Read(ctx), in.InstanceProfileName)
	if err != nil {
		return nil, err
	}
	page, err := tagPage(row.Tags, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListInstanceProfileTagsOutput{Tags: page.items, IsTruncated: page.more, Marker: page.marker}, nil
}
