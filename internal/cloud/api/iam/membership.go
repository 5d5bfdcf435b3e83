package iam

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"aloft.dev/aloft/internal/cloud/store"
)

// maxGroupsOfUser is how many groups a user may be in.
const maxGroupsOfUser = 10

// AddUserToGroup puts a user into a group. It succeeds if the user is in the group already.
func (a *API) AddUserToGroup(ctx context.Context, in *iam.AddUserToGroupInput) (*iam.AddUserToGroupOutput, error) {
	out := &iam.AddUserToGroupOutput{}
	return out, a.editMember(ctx, in.UserName, in.GroupName, func(user *store.User, name string) error {
		if containsName(user.Groups, name) {
			return nil
		}
		if len(user.Groups) >= maxGroupsOfUser {
			return quotaExceeded("GroupsPerUser", maxGroupsOfUser)
		}
		user.Groups = append(slices.Clone(user.Groups), name)
		return nil
	})
}

// RemoveUserFromGroup takes a user out of a group, if the user is in it.
func (a *API) RemoveUserFromGroup(
	ctx context.Context, in *iam.RemoveUserFromGroupInput,
) (*iam.RemoveUserFromGroupOutput, error) {
	out := &iam.RemoveUserFromGroupOutput{}
	return out, a.editMember(ctx, in.UserName, in.GroupName, func(user *store.User, name string) error {
		user.Groups = without(user.Groups, name)
		return nil
	})
}

// editMember changes the groups of the user that a request names. Both the user and the group must
// exist. If neither does, the error is about the user.
func (a *API) editMember(
	ctx context.Context, user, group *string, change func(user *store.User, group string) error,
) error {
	if err := checkName("groupName", group, maxName); err != nil {
		return err
	}
	return a.editUser(ctx, user, func(tx *store.Tx, row *store.User) error {
		found, err := findGroup(ctx, tx, group)
		if err != nil {
			return err
		}
		return change(row, found.Name)
	})
}

// ListGroupsForUser lists the groups that a user is in.
func (a *API) ListGroupsForUser(
	ctx context.Context, in *iam.ListGroupsForUserInput,
) (*iam.ListGroupsForUserOutput, error) {
	view := a.Store.Read(ctx)
	user, err := findUser(ctx, view, in.UserName)
	if err != nil {
		return nil, err
	}
	page, err := groupPage(groupsOf(view, user), in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListGroupsForUserOutput{Groups: page.items, IsTruncated: page.more, Marker: page.marker}, nil
}

// groupsOf returns the groups that a user is in. A view of the past may lack some.
func groupsOf(r store.Reader, user *store.User) []*store.Group {
	var rows []*store.Group
	for _, name := range user.Groups {
		if row, ok := store.Groups.Get(r, store.NameKey(user.Region(), name)); ok {
			rows = append(rows, row)
		}
	}
	return rows
}

func containsName(names []string, name string) bool {
	return slices.ContainsFunc(names, func(other string) bool { return strings.EqualFold(other, name) })
}

// without returns all of the names but one.
func without(names []string, name string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(other string) bool { return strings.EqualFold(other, name) })
}
