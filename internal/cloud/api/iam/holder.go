package iam

import (
	"context"

	"aloft.dev/aloft/internal/cloud/store"
)

// holder describes one kind of identity that has policies: users, groups or roles.
type holder struct {
	kind      string // "role", as messages have it
	inline    int    // characters that all inline policies together may have
	quota     string // of managed policies, as messages have it
	checkName func(name *string) error
	// find returns the name and the policies of the identity that a request names.
	find func(ctx context.Context, r store.Reader, name *string) (string, store.Permissions, error)
	// edit changes the policies of the identity that a request names. change must replace slices
	// and maps.
	edit func(a *API, ctx context.Context, name *string, change changePermissions) error
}

type changePermissions func(tx *store.Tx, name string, p *store.Permissions) error

func roles() holder {
	return holder{
		kind: "role", inline: maxRoleInline, quota: "PoliciesPerRole",
		checkName: func(name *string) error { return checkName("roleName", name, maxRoleName) },
		find: func(ctx context.Context, r store.Reader, name *string) (string, store.Permissions, error) {
			row, err := findRole(ctx, r, name)
			if err != nil {
				return "", store.Permissions{}, err
			}
			return row.Name, row.Permissions, nil
		},
		edit: func(a *API, ctx context.Context, name *string, change changePermissions) error {
			return a.editRole(ctx, name, func(tx *store.Tx, row *store.Role) error {
				return change(tx, row.Name, &row.Permissions)
			})
		},
	}
}

func users() holder {
	return holder{
		kind: "user", inline: maxUserInline, quota: "PoliciesPerUser",
		checkName: func(name *string) error { return checkName("userName", name, maxName) },
		find: func(ctx context.Context, r store.Reader, name *string) (string, store.Permissions, error) {
			row, err := findUser(ctx, r, name)
			if err != nil {
				return "", store.Permissions{}, err
			}
			return row.Name, row.Permissions, nil
		},
		edit: func(a *API, ctx context.Context, name *string, change changePermissions) error {
			return a.editUser(ctx, name, func(tx *store.Tx, row *store.User) error {
				return change(tx, row.Name, &row.Permissions)
			})
		},
	}
}

func groups() holder {
	return holder{
		kind: "group", inline: maxGroupInline, quota: "PoliciesPerGroup",
		checkName: func(name *string) error { return checkName("groupName", name, maxName) },
		find: func(ctx context.Context, r store.Reader, name *string) (string, store.Permissions, error) {
			row, err := findGroup(ctx, r, name)
			if err != nil {
				return "", store.Permissions{}, err
			}
			return row.Name, row.Permissions, nil
		},
		edit: func(a *API, ctx context.Context, name *string, change changePermissions) error {
			return a.editGroup(ctx, name, func(tx *store.Tx, row *store.Group) error {
				return change(tx, row.Name, &row.Permissions)
			})
		},
	}
}
