package iam_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"aloft.dev/aloft/internal/cloud/store"
)

// nameOf returns the name and the ARN of a user.
func nameOf(u types.User) string { return *u.UserName + " " + *u.Arn }

func TestUsersAreDescribed(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	created := must(w.CreateUser(ctx, &client.CreateUserInput{
		UserName: aws.String("Ada"), Path: aws.String("/team/"), PermissionsBoundary: aws.String(core),
		Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}},
	}))(t).User
	if nameOf(*created) != "Ada arn:aws:iam::000000000000:user/team/Ada" || *created.CreateDate != now ||
		!strings.HasPrefix(*created.UserId, "AIDA") || len(created.Tags) != 1 ||
		*created.PermissionsBoundary.PermissionsBoundaryArn != core {
		t.Errorf("created %+v", created)
	}
	got := must(w.GetUser(ctx, &client.GetUserInput{UserName: aws.String("ADA")}))(t).User
	if nameOf(*got) != nameOf(*created) || len(got.Tags) != 1 || got.PermissionsBoundary == nil {
		t.Errorf("got %+v", got)
	}
	listed := must(w.ListUsers(ctx, &client.ListUsersInput{PathPrefix: aws.String("/te")}))(t).Users
	if len(listed) != 1 || listed[0].Tags != nil || listed[0].PermissionsBoundary != nil {
		t.Errorf("listed %+v", listed)
	}
	_, err := w.CreateUser(ctx, &client.CreateUserInput{UserName: aws.String("aDA")})
	refused(t, "a name in use", err, "409 EntityAlreadyExists User with name aDA already exists.")
	_, err = w.CreateUser(ctx, &client.CreateUserInput{UserName: aws.String(strings.Repeat("a", 65))})
	refused(t, "a long name", err, "400 ValidationError 1 validation error detected: "+
		"Value at 'userName' failed to satisfy constraint: Member must have length less than or equal to 64")
	_, err = w.CreateUser(ctx, &client.CreateUserInput{
		UserName: aws.String("b"), PermissionsBoundary: aws.String("arn:aws:iam::000000000000:policy/no"),
	})
	refused(t, "an unknown boundary", err, "404 NoSuchEntity Scope ARN: arn:aws:iam::000000000000:policy/no does not")
}

func TestTheAccountsOwnUserIsThereAndCannotBeChanged(t *testing.T) {
	w, ctx, own := newWorld(t), t.Context(), aws.String("aloft")
	got := must(w.GetUser(ctx, &client.GetUserInput{}))(t).User
	if nameOf(*got) != "aloft arn:aws:iam::000000000000:user/aloft" {
		t.Errorf("the caller is %+v", got)
	}
	keys := must(w.ListAccessKeys(ctx, &client.ListAccessKeysInput{}))(t).AccessKeyMetadata
	if len(keys) != 1 || keys[0].Status != types.StatusTypeActive || *keys[0].AccessKeyId == "" {
		t.Errorf("the caller has the keys %+v", keys)
	}
	w.user("a")
	users := must(w.ListUsers(ctx, &client.ListUsersInput{}))(t).Users
	if len(users) != 2 || *users[1].UserName != "aloft" {
		t.Errorf("the users are %+v", users)
	}
	w.group("g")
	const want = "400 UnmodifiableEntity The user aloft and its access key are the local cloud's own."
	for name, err := range map[string]error{
		"DeleteUser": failure(w.DeleteUser(ctx, &client.DeleteUserInput{UserName: own})),
		"UpdateUser": failure(w.UpdateUser(ctx, &client.UpdateUserInput{
			UserName: own, NewUserName: aws.String("b"),
		})),
		"CreateAccessKey": failure(w.CreateAccessKey(ctx, &client.CreateAccessKeyInput{})),
		"DetachUserPolicy": failure(w.DetachUserPolicy(ctx, &client.DetachUserPolicyInput{
			UserName: own, PolicyArn: aws.String(admin),
		})),
		"TagUser":        failure(w.TagUser(ctx, &client.TagUserInput{UserName: own, Tags: []types.Tag{}})),
		"AddUserToGroup": w.join("aloft", "g"),
	} {
		refused(t, name, err, want)
	}
	_, err := w.CreateUser(ctx, &client.CreateUserInput{UserName: own})
	refused(t, "CreateUser", err, "409 EntityAlreadyExists User with name aloft already exists.")
}

func TestARenamedUserKeepsWhatItHas(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	w.user("a")
	w.user("b")
	w.group("g")
	if err := w.join("a", "g"); err != nil {
		t.Fatal(err)
	}
	key := must(w.CreateAccessKey(ctx, &client.CreateAccessKeyInput{UserName: aws.String("a")}))(t).AccessKey
	rename := func(from, to, path string) error {
		_, err := w.UpdateUser(ctx, &client.UpdateUserInput{
			UserName: &from, NewUserName: &to, NewPath: &path,
		})
		return err
	}
	refused(t, "another's name", rename("a", "B", "/"), "409 EntityAlreadyExists User with name B already exists.")
	refused(t, "an unknown user", rename("c", "d", "/"), "404 NoSuchEntity The user with name c cannot be found.")
	for _, name := range [][2]string{{"a", "c"}, {"c", "C"}} {
		if err := rename(name[0], name[1], "/x/"); err != nil {
			t.Fatal(err)
		}
	}
	got := must(w.GetUser(ctx, &client.GetUserInput{UserName: aws.String("C")}))(t).User
	if nameOf(*got) != "C arn:aws:iam::000000000000:user/x/C" {
		t.Errorf("renamed: %+v", got)
	}
	keys := must(w.ListAccessKeys(ctx, &client.ListAccessKeysInput{UserName: aws.String("C")}))(t).AccessKeyMetadata
	if len(keys) != 1 || *keys[0].AccessKeyId != *key.AccessKeyId || *keys[0].UserName != "C" {
		t.Errorf("the keys are %+v", keys)
	}
	members := must(w.GetGroup(ctx, &client.GetGroupInput{GroupName: aws.String("g")}))(t).Users
	if len(members) != 1 || *members[0].UserName != "C" {
		t.Errorf("the group has %+v", members)
	}
}

func TestAUserIsDeletedWhenItHasNothing(t *testing.T) {
	w, ctx, user := newWorld(t), t.Context(), aws.String("a")
	w.user("a")
	w.group("g")
	key := must(w.CreateAccessKey(ctx, &client.CreateAccessKeyInput{UserName: user}))(t).AccessKey
	must(w.AttachUserPolicy(ctx, &client.AttachUserPolicyInput{UserName: user, PolicyArn: aws.String(core)}))(t)
	must(w.PutUserPolicy(ctx, &client.PutUserPolicyInput{
		UserName: user, PolicyName: aws.String("p"), PolicyDocument: aws.String(document),
	}))(t)
	if err := w.join("a", "g"); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		what   string
		remove func() error
	}{
		{"detach all policies first", func() error {
			return failure(w.DetachUserPolicy(ctx, &client.DetachUserPolicyInput{
				UserName: user, PolicyArn: aws.String(core),
			}))
		}},
		{"delete policies first", func() error {
			return failure(w.DeleteUserPolicy(ctx, &client.DeleteUserPolicyInput{
				UserName: user, PolicyName: aws.String("p"),
			}))
		}},
		{"remove users from group first", func() error {
			return failure(w.RemoveUserFromGroup(ctx, &client.RemoveUserFromGroupInput{
				UserName: user, GroupName: aws.String("g"),
			}))
		}},
		{"delete access keys first", func() error {
			return failure(w.DeleteAccessKey(ctx, &client.DeleteAccessKeyInput{
				UserName: user, AccessKeyId: key.AccessKeyId,
			}))
		}},
	} {
		refused(t, step.what, failure(w.DeleteUser(ctx, &client.DeleteUserInput{UserName: user})),
			"409 DeleteConflict Cannot delete entity, must "+step.what+".")
		if err := step.remove(); err != nil {
			t.Fatal(err)
		}
	}
	must(w.DeleteUser(ctx, &client.DeleteUserInput{UserName: user}))(t)
	refused(t, "the deleted user", failure(w.GetUser(ctx, &client.GetUserInput{UserName: user})),
		"404 NoSuchEntity The user with name a cannot be found.")
}

func TestAccessKeysAreReturnedOnceAndKeptSealed(t *testing.T) {
	w, ctx, user := newWorld(t), t.Context(), aws.String("a")
	w.user("a")
	create := func() (*client.CreateAccessKeyOutput, error) {
		return w.CreateAccessKey(ctx, &client.CreateAccessKeyInput{UserName: user})
	}
	key := must(create())(t).AccessKey
	if !strings.HasPrefix(*key.AccessKeyId, "AKIA") || len(*key.AccessKeyId) != 20 || len(*key.SecretAccessKey) != 40 ||
		key.Status != types.StatusTypeActive || *key.UserName != "a" {
		t.Errorf("created %+v", key)
	}
	sealed := string(store.AccessKeys.List(w.store.View())[0].Secret)
	if strings.Contains(sealed, *key.SecretAccessKey) {
		t.Error("the store has the secret")
	}
	must(create())(t)
	_, err := create()
	refused(t, "a third key", err, "409 LimitExceeded Cannot exceed quota for AccessKeysPerUser: 2")
	must(w.UpdateAccessKey(ctx, &client.UpdateAccessKeyInput{
		UserName: user, AccessKeyId: key.AccessKeyId, Status: types.StatusTypeInactive,
	}))(t)
	first := must(w.ListAccessKeys(ctx, &client.ListAccessKeysInput{UserName: user, MaxItems: aws.Int32(1)}))(t)
	second := must(w.ListAccessKeys(ctx, &client.ListAccessKeysInput{UserName: user, Marker: first.Marker}))(t)
	statuses := map[string]types.StatusType{}
	for _, k := range append(first.AccessKeyMetadata, second.AccessKeyMetadata...) {
		statuses[*k.AccessKeyId] = k.Status
	}
	if !first.IsTruncated || len(statuses) != 2 || statuses[*key.AccessKeyId] != types.StatusTypeInactive {
		t.Errorf("the keys are %v", statuses)
	}
	used := must(w.GetAccessKeyLastUsed(ctx, &client.GetAccessKeyLastUsedInput{AccessKeyId: key.AccessKeyId}))(t)
	last := used.AccessKeyLastUsed
	if *used.UserName != "a" || *last.ServiceName != "N/A" || *last.Region != "N/A" || last.LastUsedDate != nil {
		t.Errorf("last used %+v", last)
	}
	w.user("b")
	unknown := aws.String("AKIAIOSFODNN7EXAMPLE")
	for name, test := range map[string]struct {
		err  error
		want string
	}{
		"another user's": {failure(w.DeleteAccessKey(ctx, &client.DeleteAccessKeyInput{
			UserName: aws.String("b"), AccessKeyId: key.AccessKeyId,
		})), "404 NoSuchEntity The Access Key with id " + *key.AccessKeyId + " cannot be found."},
		"unknown": {failure(w.UpdateAccessKey(ctx, &client.UpdateAccessKeyInput{
			UserName: user, AccessKeyId: unknown, Status: types.StatusTypeActive,
		})), "404 NoSuchEntity The Access Key with id AKIAIOSFODNN7EXAMPLE cannot be found."},
		"the use of an unknown one": {
			failure(w.GetAccessKeyLastUsed(ctx, &client.GetAccessKeyLastUsedInput{AccessKeyId: unknown})),
			"403 AccessDenied User: arn:aws:iam::000000000000:user/aloft is not authorized to perform " +
				"iam:GetAccessKeyLastUsed on resource: access key AKIAIOSFODNN7EXAMPLE",
		},
		"a short id": {failure(w.DeleteAccessKey(ctx, &client.DeleteAccessKeyInput{
			UserName: user, AccessKeyId: aws.String("AKIA"),
		})), "400 ValidationError 1 validation error detected: Value at 'accessKeyId'"},
		"a status": {failure(w.UpdateAccessKey(ctx, &client.UpdateAccessKeyInput{
			UserName: user, AccessKeyId: key.AccessKeyId, Status: "Gone",
		})), "400 ValidationError 1 validation error detected: Value at 'status'"},
		"an unknown user's": {failure(w.CreateAccessKey(ctx, &client.CreateAccessKeyInput{
			UserName: aws.String("no"),
		})), "404 NoSuchEntity The user with name no cannot be found."},
	} {
		refused(t, name, test.err, test.want)
	}
}
