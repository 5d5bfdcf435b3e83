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
	user, err := a.editLogin(ctx, name, func(user *store.User, rules *store.PasswordPolicy) (*store.Login, error) {
		switch {
		case user.Login != nil:
			return nil, entityExists("Login Profile for user %s already exists.", user.Name)
		case in.Password == nil:
			return nil, model.Null("password")
		}
		login := &store.Login{Created: a.now(), ResetRequired: in.PasswordResetRequired}
		return login, a.setPassword(login, rules, *in.Password)
	})
	if err != nil {
		return nil, err
	}
	return &iam.CreateLoginProfileOutput{LoginProfile: describeLogin(user)}, nil
}

// editLogin stores the login profile that change returns for a user, whom it returns as stored. Passwords take long to
// hash, so change runs before the transaction, and again if what it depends on has changed meanwhile.
func (a *API) editLogin(
	ctx context.Context, name *string, change func(*store.User, *store.PasswordPolicy) (*store.Login, error),
) (*store.User, error) {
	for {
		view := a.Store.View()
		user, err := findUser(ctx, view, name)
		if err != nil {
			return nil, err
		}
		if err := checkChangeable(user); err != nil {
			return nil, err
		}
		rules := accountIn(ctx, view).Passwords
		login, err := change(user, rules)
		if err != nil {
			return nil, err
		}
		var edited *store.User
		if err := a.editUser(ctx, name, func(tx *store.Tx, row *store.User) error {
			if row.ID == user.ID && row.Login == user.Login && accountIn(ctx, tx).Passwords == rules {
				row.Login, edited = login, row
			}
			return nil
		}); err != nil || edited != nil {
			return edited, err
		}
	}
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
	row, err := userOrCaller(ctx, a.Store.Read(ctx), in.UserName)
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
	_, err := a.editLogin(ctx, in.UserName, func(user *store.User, rules *store.PasswordPolicy) (*store.Login, error) {
		if user.Login == nil {
			return nil, noLogin(user)
		}
		login := *user.Login
		login.ResetRequired = constraint.Default(in.PasswordResetRequired, login.ResetRequired)
		if in.Password == nil {
			return &login, nil
		}
		login.Changed = a.now()
		return &login, a.setPassword(&login, rules, *in.Password)
	})
	return &iam.UpdateLoginProfileOutput{}, err
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
