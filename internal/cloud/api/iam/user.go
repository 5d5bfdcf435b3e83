package iam

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// maxUsers is how many users an account may have.
const maxUsers = 5000

// ownerCreated is when the account's own user was created.
var ownerCreated = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// owner returns the account's own user, whose access key the local cloud makes itself. It may do
// everything without policies, is in no table and cannot be changed.
func owner(region identity.Region) *store.User {
	account := region.Account()
	return &store.User{
		Name: identity.UserName, Path: "/", ID: identity.UserID(account), ARN: identity.UserARN(account),
		Created: ownerCreated,
	}
}

// usersIn returns all users of the account.
func usersIn(ctx context.Context, r store.Reader) []*store.User {
	region := wire.GlobalFrom(ctx)
	return append(store.Users.InRegion(r, region), owner(region))
}

// CreateUser creates a user.
func (a *API) CreateUser(ctx context.Context, in *iam.CreateUserInput) (*iam.CreateUserOutput, error) {
	if err := checkName("userName", in.UserName, maxUserName); err != nil {
		return nil, err
	}
	path, err := pathOf(in.Path)
	if err != nil {
		return nil, err
	}
	tags, err := insensitive.merge(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	row := store.User{
		Name: *in.UserName, Path: path, ID: a.ids.UniqueID("AIDA"), ARN: arn(ctx, "user", path, *in.UserName),
		Created: a.now(), Tags: tags,
	}
	if err := a.Store.Update(func(tx *store.Tx) error {
		if err := checkUserName(tx, &row); err != nil {
			return err
		}
		if len(store.Users.InRegion(tx, row.Region())) >= maxUsers {
			return quotaExceeded("UsersPerAccount", maxUsers)
		}
		if in.PermissionsBoundary != nil {
			row.Boundary = *in.PermissionsBoundary
			if err := checkBoundary(ctx, tx, in.PermissionsBoundary); err != nil {
				return err
			}
		}
		store.Users.Put(tx, &row)
		return nil
	}); err != nil {
		return nil, err
	}
	return &iam.CreateUserOutput{User: describeWholeUser(&row)}, nil
}

// checkUserName refuses a name that another user has.
func checkUserName(r store.Reader, row *store.User) error {
	other, taken := store.Users.Get(r, row.Key())
	if taken && other.ID != row.ID || strings.EqualFold(row.Name, identity.UserName) {
		return entityExists("User with name %s already exists.", row.Name)
	}
	return nil
}

// findUser returns the user that a request names.
func findUser(ctx context.Context, r store.Reader, name *string) (*store.User, error) {
	if err := checkName("userName", name, maxName); err != nil {
		return nil, err
	}
	region := wire.GlobalFrom(ctx)
	if strings.EqualFold(*name, identity.UserName) {
		return owner(region), nil
	}
	row, ok := store.Users.Get(r, store.NameKey(region, *name))
	if !ok {
		return nil, userNotFound(*name)
	}
	return row, nil
}

// editUser changes a copy of the user that a request names and stores it. change must replace
// slices and maps.
func (a *API) editUser(ctx context.Context, name *string, change func(tx *store.Tx, row *store.User) error) error {
	return a.Store.Update(func(tx *store.Tx) error {
		old, err := findUser(ctx, tx, name)
		if err != nil {
			return err
		}
		if err := checkChangeable(old); err != nil {
			return err
		}
		row := *old
		if err := change(tx, &row); err != nil {
			return err
		}
		if row.Key() != old.Key() {
			store.Users.Delete(tx, old.Key())
		}
		store.Users.Put(tx, &row)
		return nil
	})
}

// checkChangeable refuses to change the account's own user.
func checkChangeable(row *store.User) error {
	if row.ID == identity.UserID(row.Region().Account()) {
		return wire.Errorf("UnmodifiableEntity", "The user %s and its access key are the local cloud's own. They "+
			"cannot be changed.", row.Name)
	}
	return nil
}

// callersName returns the name that a request has or, without one, that of the calling user.
func callersName(ctx context.Context, name *string) (*string, error) {
	p := wire.CallerFrom(ctx).Principal
	switch {
	case name != nil:
		return name, nil
	case p.Owner():
		return aws.String(identity.UserName), nil
	case p.User == "":
		return nil, model.Errorf("Must specify userName when calling with non-User credentials")
	}
	return &p.User, nil
}

// userOrCaller returns the user with the name that a request has or, without one, the calling user.
func userOrCaller(ctx context.Context, r store.Reader, name *string) (*store.User, error) {
	name, err := callersName(ctx, name)
	if err != nil {
		return nil, err
	}
	return findUser(ctx, r, name)
}

// describeUser describes a user as lists do: without tags and boundary (IAM API
// Reference, ListUsers).
func describeUser(row *store.User) types.User {
	return types.User{
		UserName: &row.Name, Path: &row.Path, UserId: &row.ID, Arn: &row.ARN, CreateDate: &row.Created,
	}
}

// describeWholeUser describes a user as GetUser does.
func describeWholeUser(row *store.User) *types.User {
	out := describeUser(row)
	out.PermissionsBoundary, out.Tags = boundaryOf(row.Permissions), tagItems(row.Tags)
	return &out
}

// GetUser returns the user with the name or, without a name, the caller.
func (a *API) GetUser(ctx context.Context, in *iam.GetUserInput) (*iam.GetUserOutput, error) {
	row, err := userOrCaller(ctx, a.Store.Read(ctx), in.UserName)
	if err != nil {
		return nil, err
	}
	return &iam.GetUserOutput{User: describeWholeUser(row)}, nil
}

// ListUsers lists the users below a path.
func (a *API) ListUsers(ctx context.Context, in *iam.ListUsersInput) (*iam.ListUsersOutput, error) {
	prefix, err := prefixOf(in.PathPrefix)
	if err != nil {
		return nil, err
	}
	rows := slices.DeleteFunc(usersIn(ctx, a.Store.Read(ctx)), func(row *store.User) bool {
		return !strings.HasPrefix(row.Path, prefix)
	})
	page, err := paginate(rows, (*store.User).Key, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListUsersOutput{
		Users: convert(page.items, describeUser), IsTruncated: page.more, Marker: page.marker,
	}, nil
}

// UpdateUser changes the name and the path of a user.
func (a *API) UpdateUser(ctx context.Context, in *iam.UpdateUserInput) (*iam.UpdateUserOutput, error) {
	if in.NewUserName != nil {
		if err := checkName("newUserName", in.NewUserName, maxUserName); err != nil {
			return nil, err
		}
	}
	path, err := pathOf(in.NewPath)
	if err != nil {
		return nil, err
	}
	return &iam.UpdateUserOutput{}, a.editUser(ctx, in.UserName, func(tx *store.Tx, row *store.User) error {
		if in.NewPath == nil {
			path = row.Path
		}
		old := row.Key()
		row.Name, row.Path = constraint.Default(in.NewUserName, row.Name), path
		row.ARN = arn(ctx, "user", row.Path, row.Name)
		for _, key := range store.AccessKeysByUser.List(tx, old) {
			store.AccessKeys.Edit(tx, key.ID, func(key *store.AccessKey) { key.User = row.Name })
		}
		for _, key := range store.SSHPublicKeysByUser.List(tx, old) {
			store.SSHPublicKeys.Edit(tx, key.ID, func(key *store.SSHPublicKey) { key.User = row.Name })
		}
		for _, device := range store.MFADevicesByUser.List(tx, old) {
			store.MFADevices.Edit(tx, device.Serial, func(device *store.MFADevice) { device.User = row.Name })
		}
		return checkUserName(tx, row)
	})
}

// DeleteUser deletes a user that has no policies, keys, groups and login profile.
func (a *API) DeleteUser(ctx context.Context, in *iam.DeleteUserInput) (*iam.DeleteUserOutput, error) {
	return &iam.DeleteUserOutput{}, a.Store.Update(func(tx *store.Tx) error {
		row, err := findUser(ctx, tx, in.UserName)
		if err != nil {
			return err
		}
		if err := checkChangeable(row); err != nil {
			return err
		}
		switch {
		case len(row.Attached) > 0:
			return deleteConflict("Cannot delete entity, must detach all policies first.")
		case len(row.Inline) > 0:
			return deleteConflict("Cannot delete entity, must delete policies first.")
		case len(row.Groups) > 0:
			return deleteConflict("Cannot delete entity, must remove users from group first.")
		case store.AccessKeysByUser.Has(tx, row.Key()):
			return deleteConflict("Cannot delete entity, must delete access keys first.")
		case row.Login != nil:
			return deleteConflict("Cannot delete entity, must delete login profile first.")
		case store.MFADevicesByUser.Has(tx, row.Key()):
			return deleteConflict("Cannot delete entity, must delete MFA device first.")
		case store.SSHPublicKeysByUser.Has(tx, row.Key()):
			return deleteConflict("Cannot delete entity, must remove referenced objects first.")
		}
		store.Users.Delete(tx, row.Key())
		return nil
	})
}
