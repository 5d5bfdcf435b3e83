package iam

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
)

func TestTheOnlyUserIsTheCaller(t *testing.T) {
	a := New(Config{})
	ctx := context.Background()
	got, err := a.GetUser(ctx, &iam.GetUserInput{})
	if err != nil || *got.User.UserName != "aloft" || *got.User.Arn != "arn:aws:iam::000000000000:user/aloft" {
		t.Errorf("user %+v, %v", got, err)
	}
	named, err := a.GetUser(ctx, &iam.GetUserInput{UserName: new("aloft")})
	if err != nil || *named.User.UserId != *got.User.UserId {
		t.Errorf("user %+v, %v", named, err)
	}
	_, err = a.GetUser(ctx, &iam.GetUserInput{UserName: new("somebody")})
	if err == nil || err.Error() != "NoSuchEntity: The user with name somebody cannot be found." {
		t.Errorf("another user: %v", err)
	}
	all, err := a.ListUsers(ctx, &iam.ListUsersInput{})
	if err != nil || len(all.Users) != 1 {
		t.Errorf("users %+v, %v", all, err)
	}
	below, err := a.ListUsers(ctx, &iam.ListUsersInput{PathPrefix: new("/team/")})
	if err != nil || len(below.Users) != 0 {
		t.Errorf("users below a path %+v, %v", below, err)
	}
	if aliases, err := a.ListAccountAliases(ctx, &iam.ListAccountAliasesInput{}); err != nil ||
		aliases.AccountAliases == nil || len(aliases.AccountAliases) != 0 {
		t.Errorf("aliases %+v, %v", aliases, err)
	}
	if _, err := a.GetAccountPasswordPolicy(ctx, &iam.GetAccountPasswordPolicyInput{}); err == nil {
		t.Error("the account has a password policy")
	}
}
