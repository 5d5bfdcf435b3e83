package iam

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// maxGroups is how many groups an account may have.
const maxGroups = 300

// CreateGroup creates a group.
func (a *API) CreateGroup(ctx context.Context, in *iam.CreateGroupInput) (*iam.CreateGroupOutput, error) {
	if err := checkName("groupName", in.GroupName, maxName); err != nil {
		return nil, err
	}
	path, err := pathOf(in.Path)
	if err != nil {
		return nil, err
	}
	row := store.Group{
		Name: *in.GroupName, Path: path, ID: a.ids.UniqueID("AGPA"), ARN: arn(ctx, "group", path, *in.GroupName),
		Created: a.now(),
	}
	if err := a.Store.Update(func(tx *store.Tx) error {
		if err := checkGroupName(tx, &row); err != nil {
			return err
		}
		if len(store.Groups.InRegion(tx, row.Region())) >= maxGroups {
			return quotaExceeded("GroupsPerAccount", maxGroups)
		}
		store.Groups.Put(tx, &row)
		return nil
	}); err != nil {
		return nil, err
	}
	return &iam.CreateGroupOutput{Group: new(describeGroup(&row))}, nil
}

// checkGroupName refuses a name that another group has.
func checkGroupName(r store.Reader, row *store.Group) error {
	if other, taken := store.Groups.Get(r, row.Key()); taken && other.ID != row.ID {
		return entityExists("Group with name %s already exists.", row.Name)
	}
	return nil
}

// findGroup returns the group that a request names.
func findGroup(ctx context.Context, r store.Reader, name *string) (*store.Group, error) {
	if err := checkName("groupName", name, maxName); err != nil {
		return nil, err
	}
	row, ok := store.Groups.Get(r, store.NameKey(wire.RegionFrom(ctx), *name))
	if !ok {
		return nil, groupNotFound(*name)
	}
	return row, nil
}

// editGroup changes a copy of the group that a request names and stores it. change must replace
// slices and maps.
func (a *API) editGroup(ctx context.Context, name *string, change func(tx *store.Tx, row *store.Group) error) error {
	return a.Store.Update(func(tx *store.Tx) error {
		old, err := findGroup(ctx, tx, name)
		if err != nil {
			return err
		}
		row := *old
		if err := change(tx, &row); err != nil {
			return err
		}
		if row.Key() != old.Key() {
			store.Groups.Delete(tx, old.Key())
		}
		store.Groups.Put(tx, &row)
		return nil
	})
}

func describeGroup(row *store.Group) types.Group {
	return types.Group{
		GroupName: &row.Name, Path: &row.Path, GroupId: &row.ID, Arn: &row.ARN, CreateDate: &row.Created,
	}
}

// GetGroup returns a group with its users.
func (a *API) GetGroup(ctx context.Context, in *iam.GetGroupInput) (*iam.GetGroupOutput, error) {
	view := a.Store.Read(ctx)
	row, err := findGroup(ctx, view, in.GroupName)
	if err != nil {
		return nil, err
	}
	page, err := paginate(store.UsersByGroup.List(view, row.Key()), (*store.User).Key, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.GetGroupOutput{
		Group: new(describeGroup(row)), Users: convert(page.items, describeUser),
		IsTruncated: page.more, Marker: page.marker,
	}, nil
}

// ListGroups lists the groups below a path.
func (a *API) ListGroups(ctx context.Context, in *iam.ListGroupsInput) (*iam.ListGroupsOutput, error) {
	prefix, err := prefixOf(in.PathPrefix)
	if err != nil {
		return nil, err
	}
	all := store.Groups.InRegion(a.Store.Read(ctx), wire.GlobalFrom(ctx))
	rows := slices.DeleteFunc(all, func(row *store.Group) bool { return !strings.HasPrefix(row.Path, prefix) })
	page, err := groupPage(rows, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListGroupsOutput{Groups: page.items, IsTruncated: page.more, Marker: page.marker}, nil
}

func groupPage(rows []*store.Group, marker *string, size *int32) (list[types.Group], error) {
	page, err := paginate(rows, (*store.Group).Key, marker, size)
	return list[types.Group]{convert(page.items, describeGroup), page.more, page.marker}, err
}

// UpdateGroup changes the name and the path of a group.
func (a *API) UpdateGroup(ctx context.Context, in *iam.UpdateGroupInput) (*iam.UpdateGroupOutput, error) {
	if in.NewGroupName != nil {
		if err := checkName("newGroupName", in.NewGroupName, maxName); err != nil {
			return nil, err
		}
	}
	path, err := pathOf(in.NewPath)
	if err != nil {
		return nil, err
	}
	return &iam.UpdateGroupOutput{}, a.editGroup(ctx, in.GroupName, func(tx *store.Tx, row *store.Group) error {
		if in.NewPath == nil {
			path = row.Path
		}
		old, members := row.Name, store.UsersByGroup.List(tx, row.Key())
		row.Name, row.Path = constraint.Default(in.NewGroupName, row.Name), path
		row.ARN = arn(ctx, "group", row.Path, row.Name)
		for _, user := range members {
			store.Users.Edit(tx, user.Key(), func(user *store.User) {
				user.Groups = append(without(user.Groups, old), row.Name)
			})
		}
		return checkGroupName(tx, row)
	})
}

// DeleteGroup deletes a group without users and policies.
func (a *API) DeleteGroup(ctx context.Context, in *iam.DeleteGroupInput) (*iam.DeleteGroupOutput, error) {
	return &iam.DeleteGroupOutput{}, a.Store.Update(func(tx *store.Tx) error {
		row, err := findGroup(ctx, tx, in.GroupName)
		switch {
		case err != nil:
			return err
		case store.UsersByGroup.Has(tx, row.Key()):
			return deleteConflict("Cannot delete entity, must remove users from group first.")
		case len(row.Attached) > 0:
			return deleteConflict("Cannot delete entity, must detach all policies first.")
		case len(row.Inline) > 0:
			return deleteConflict("Cannot delete entity, must delete policies first.")
		}
		store.Groups.Delete(tx, row.Key())
		return nil
	})
}
