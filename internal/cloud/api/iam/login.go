package iam

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/store"
)

// CreateLoginProfile gives a user a password, which must follow the account's rules. The local cloud has no
// console that the user could sign in to: it keeps a hash, by which the user can change the password.
func (a *API) CreateLoginProfile(
	ctx context.Context, in *iam.CreateLoginProfileInput,
) (*iam.CreateLoginProfileOutput, error) {
	name, err := callersName(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	var out *types.LoginProfile
	err = a.editUser(ctx, name, func(tx *store.Tx, row *store.User) error {
		if row.Login != nil {
			return entityExists("Login Profile for user %s already exists.", row.Name)
		}
		if in.Password == nil {
			return model.Null("password")
		}
		row.Login = &store.Login{Created: a.now(), ResetRequired: in.PasswordResetRequired}
		if err := a.setPassword(row.Login, accountIn(ctx, tx).Passwords, *in.Password); err != nil {
			return err
		}
		out = describeLogin(row)
		return nil
	})
	return &iam.CreateLoginProfileOutput{LoginProfile: out}, err
}

func describeLogin(row *store.User) *types.LoginProfile {
	return &types.LoginProfile{
		UserName: &row.Name, CreateDate: &row.Login.Created, PasswordResetRequired: row.Login.ResetRequired,
	}
}

func noLogin(row *store.User) error {
	return noSuchEntity("Login Profile for User %s cannot be found.", row.Name)
}

// GetLoginProfile reports whether a user, or the caller, has a password.
func (a *API) GetLoginProfile(
	ctx context.Context, in *iam.GetLoginProfileInput,
) (*iam.GetLoginProfileOutput, error) {
	name, err := callersName(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	row, err := findUser(ctx, a.Store.Read(ctx), name)
	switch {
	case err != nil:
		return nil, err
	case row.Login == nil:
		return nil, noLogin(row)
	}
	return &iam.GetLoginProfileOutput{LoginProfile: describeLogin(row)}, nil
}

// UpdateLoginProfile changes the password of a user, and whether the user must set another.
func (a *API) UpdateLoginProfile(
	ctx context.Context, in *iam.UpdateLoginProfileInput,
) (*iam.UpdateLoginProfileOutput, error) {
	return &iam.UpdateLoginProfileOutput{}, a.editUser(ctx, in.UserName, func(tx *store.Tx, row *store.User) error {
		if row.Login == nil {
			return noLogin(row)
		}
		login := *row.Login
		if in.Password != nil {
			if err := a.setPassword(&login, accountIn(ctx, tx).Passwords, *in.Password); err != nil {
				return err
			}
			login.Changed = a.now()
		}
		login.ResetRequired = constraint.Default(in.PasswordResetRequired, login.ResetRequired)
		row.Login = &login
		return nil
	})
}

// DeleteLoginProfile removes the password of a user, or of the caller.
func (a *API) DeleteLoginProfile(
	ctx context.Context, in *iam.DeleteLoginProfileInput,
) (*iam.DeleteLoginProfileOutput, error) {
	name, err := callersName(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	return &iam.DeleteLoginProfileOutput{}, a.editUser(ctx, name, func(_ *store.Tx, row *store.User) error {
		if row.Login == nil {
			return noLogin(row)
		}
		row.Login = nil
		return nil
	})
}
