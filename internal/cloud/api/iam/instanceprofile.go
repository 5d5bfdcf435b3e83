package iam

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// CreateInstanceProfile creates an instance profile without a role.
func (a *API) CreateInstanceProfile(
	ctx context.Context, in *iam.CreateInstanceProfileInput,
) (*iam.CreateInstanceProfileOutput, error) {
	if err := checkName("instanceProfileName", in.InstanceProfileName, maxName); err != nil {
		return nil, err
	}
	path, err := pathOf(in.Path)
	if err != nil {
		return nil, err
	}
	tags, err := sensitive.merge(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	row := store.InstanceProfile{
		Name: *in.InstanceProfileName, Path: path, ID: a.ids.UniqueID("AIPA"),
		ARN: arn(ctx, "instance-profile", path, *in.InstanceProfileName), Created: a.now(), Tags: tags,
	}
	if err := a.Store.Update(func(tx *store.Tx) error {
		if _, taken := store.InstanceProfiles.Get(tx, row.Key()); taken {
			return entityExists("Instance Profile %s already exists.", row.Name)
		}
		store.InstanceProfiles.Put(tx, &row)
		return nil
	}); err != nil {
		return nil, err
	}
	out := describeProfile(nil, &row)
	out.Tags = tagItems(row.Tags)
	return &iam.CreateInstanceProfileOutput{InstanceProfile: &out}, nil
}

// findProfile returns the instance profile that a request names.
func findProfile(ctx context.Context, r store.Reader, name *string) (*store.InstanceProfile, error) {
	if err := checkName("instanceProfileName", name, maxName); err != nil {
		return nil, err
	}
	row, ok := store.InstanceProfiles.Get(r, store.NameKey(wire.RegionFrom(ctx), *name))
	if !ok {
		return nil, profileNotFound(*name)
	}
	return row, nil
}

// editProfile changes a copy of the instance profile that a request names and stores it.
// change must replace maps.
func (a *API) editProfile(
	ctx context.Context, name *string, change func(tx *store.Tx, row *store.InstanceProfile) error,
) error {
	return a.Store.Update(func(tx *store.Tx) error {
		old, err := findProfile(ctx, tx, name)
		if err != nil {
			return err
		}
		row := *old
		if err := change(tx, &row); err != nil {
			return err
		}
		store.InstanceProfiles.Put(tx, &row)
		return nil
	})
}

// describeProfile returns an instance profile as lists show it: without its tags. r is not
// used if the profile has no role.
func describeProfile(r store.Reader, row *store.InstanceProfile) types.InstanceProfile {
	out := types.InstanceProfile{
		InstanceProfileName: &row.Name, Path: &row.Path, InstanceProfileId: &row.ID, Arn: &row.ARN,
		CreateDate: &row.Created, Roles: []types.Role{},
	}
	if row.Role == "" {
		return out
	}
	// A view of the past may lack the role.
	if role, ok := store.Roles.Get(r, store.NameKey(row.Region(), row.Role)); ok {
		described := describeRole(role)
		described.MaxSessionDuration = nil // the roles of profiles are without it
		out.Roles = append(out.Roles, described)
	}
	return out
}

// GetInstanceProfile returns an instance profile with its role.
func (a *API) GetInstanceProfile(
	ctx context.Context, in *iam.GetInstanceProfileInput,
) (*iam.GetInstanceProfileOutput, error) {
	view := a.Store.Read(ctx)
	row, err := findProfile(ctx, view, in.InstanceProfileName)
	if err != nil {
		return nil, err
	}
	out := describeProfile(view, row)
	out.Tags = append([]types.Tag{}, tagItems(row.Tags)...)
	return &iam.GetInstanceProfileOutput{InstanceProfile: &out}, nil
}

// ListInstanceProfiles lists the instance profiles below a path.
func (a *API) ListInstanceProfiles(
	ctx context.Context, in *iam.ListInstanceProfilesInput,
) (*iam.ListInstanceProfilesOutput, error) {
	prefix, err := prefixOf(in.PathPrefix)
	if err != nil {
		return nil, err
	}
	view := a.Store.Read(ctx)
	all := store.InstanceProfiles.InRegion(view, wire.GlobalFrom(ctx))
	rows := slices.DeleteFunc(all, func(row *store.InstanceProfile) bool {
		return !strings.HasPrefix(row.Path, prefix)
	})
	page, err := profilePage(view, rows, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListInstanceProfilesOutput{
		InstanceProfiles: page.items, IsTruncated: page.more, Marker: page.marker,
	}, nil
}

// ListInstanceProfilesForRole lists the instance profiles that a role is in.
func (a *API) ListInstanceProfilesForRole(
	ctx context.Context, in *iam.ListInstanceProfilesForRoleInput,
) (*iam.ListInstanceProfilesForRoleOutput, error) {
	view := a.Store.Read(ctx)
	role, err := findRole(ctx, view, in.RoleName)
	if err != nil {
		return nil, err
	}
	page, err := profilePage(view, profilesOf(view, role), in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListInstanceProfilesForRoleOutput{
		InstanceProfiles: page.items, IsTruncated: page.more, Marker: page.marker,
	}, nil
}

// profilesOf returns the instance profiles that a role is in.
func profilesOf(r store.Reader, role *store.Role) []*store.InstanceProfile {
	key := role.Key()
	return slices.DeleteFunc(store.InstanceProfiles.InRegion(r, role.Region()), func(row *store.InstanceProfile) bool {
		return store.NameKey(row.Region(), row.Role) != key
	})
}

func profilePage(
	r store.Reader, rows []*store.InstanceProfile, marker *string, size *int32,
) (list[types.InstanceProfile], error) {
	key := func(row *store.InstanceProfile) string { return row.Key() }
	page, err := paginate(rows, key, marker, size)
	describe := func(row *store.InstanceProfile) types.InstanceProfile { return describeProfile(r, row) }
	return list[types.InstanceProfile]{convert(page.items, describe), page.more, page.marker}, err
}

// DeleteInstanceProfile deletes an instance profile without a role.
func (a *API) DeleteInstanceProfile(
	ctx context.Context, in *iam.DeleteInstanceProfileInput,
) (*iam.DeleteInstanceProfileOutput, error) {
	return &iam.DeleteInstanceProfileOutput{}, a.Store.Update(func(tx *store.Tx) error {
		row, err := findProfile(ctx, tx, in.InstanceProfileName)
		switch {
		case err != nil:
			return err
		case row.Role != "":
			return deleteConflict("Cannot delete entity, must remove roles from instance profile first.")
		}
		store.InstanceProfiles.Delete(tx, row.Key())
		return nil
	})
}
