package iam_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// groupNames returns the names of groups.
func groupNames(groups []types.Group) (names []string) {
	for _, g := range groups {
		names = append(names, *g.GroupName)
	}
	return names
}

func TestGroupsHaveMembers(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	w.user("a")
	created := must(w.CreateGroup(ctx, &client.CreateGroupInput{
		GroupName: aws.String("Dev"), Path: aws.String("/x/"),
	}))(t).Group
	if *created.Arn != "arn:aws:iam::000000000000:group/x/Dev" || (*created.GroupId)[:4] != "AGPA" {
		t.Errorf("created %+v", created)
	}
	w.group("ops")
	for range 2 { // the second time has no effect
		if err := w.join("A", "dev"); err != nil {
			t.Fatal(err)
		}
	}
	refused(t, "an unknown group", w.join("a", "no"), "404 NoSuchEntity The group with name no cannot be found.")
	refused(t, "an unknown user", w.join("no", "ops"), "404 NoSuchEntity The user with name no cannot be found.")
	_, err := w.RemoveUserFromGroup(ctx, &client.RemoveUserFromGroupInput{
		UserName: aws.String("no"), GroupName: aws.String("none"),
	})
	refused(t, "both unknown", err, "404 NoSuchEntity The user with name no cannot be found.")

	update := func(name, to, path string) error {
		_, err := w.UpdateGroup(ctx, &client.UpdateGroupInput{GroupName: &name, NewGroupName: &to, NewPath: &path})
		return err
	}
	refused(t, "another's name", update("dev", "OPS", "/"),
		"409 EntityAlreadyExists Group with name OPS already exists.")
	refused(t, "no group", update("no", "x", "/"), "404 NoSuchEntity The group with name no cannot be found.")
	if err := update("dev", "crew", "/y/"); err != nil {
		t.Fatal(err)
	}
	of := must(w.ListGroupsForUser(ctx, &client.ListGroupsForUserInput{UserName: aws.String("a")}))(t).Groups
	if got := fmt.Sprint(groupNames(of)); got != "[crew]" || *of[0].Arn != "arn:aws:iam::000000000000:group/y/crew" {
		t.Errorf("the user is in %v", got)
	}
	all := must(w.ListGroups(ctx, &client.ListGroupsInput{}))(t).Groups
	below := must(w.ListGroups(ctx, &client.ListGroupsInput{PathPrefix: aws.String("/y")}))(t).Groups
	if got := fmt.Sprint(groupNames(all), groupNames(below)); got != "[crew ops] [crew]" {
		t.Errorf("the groups are %v", got)
	}
	members := must(w.GetGroup(ctx, &client.GetGroupInput{GroupName: aws.String("crew")}))(t)
	if len(members.Users) != 1 || *members.Users[0].UserName != "a" || *members.Group.GroupName != "crew" {
		t.Errorf("the group has %+v", members.Users)
	}
	_, err = w.CreateGroup(ctx, &client.CreateGroupInput{GroupName: aws.String("CREW")})
	refused(t, "a name in use", err, "409 EntityAlreadyExists Group with name CREW already exists.")
}

func TestAUserIsInTenGroups(t *testing.T) {
	w := newWorld(t)
	w.user("a")
	for i := range 11 {
		name := fmt.Sprint("g", i)
		w.group(name)
		err := w.join("a", name)
		if i == 10 {
			refused(t, "an eleventh group", err, "409 LimitExceeded Cannot exceed quota for GroupsPerUser: 10")
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func TestAGroupIsDeletedWhenItIsEmpty(t *testing.T) {
	w, ctx, group := newWorld(t), t.Context(), aws.String("g")
	w.user("a")
	w.group("g")
	if err := w.join("a", "g"); err != nil {
		t.Fatal(err)
	}
	must(w.AttachGroupPolicy(ctx, &client.AttachGroupPolicyInput{GroupName: group, PolicyArn: aws.String(core)}))(t)
	must(w.PutGroupPolicy(ctx, &client.PutGroupPolicyInput{
		GroupName: group, PolicyName: aws.String("p"), PolicyDocument: aws.String(document),
	}))(t)
	for _, step := range []struct {
		what   string
		remove func() error
	}{
		{"remove users from group first", func() error {
			return failure(w.RemoveUserFromGroup(ctx, &client.RemoveUserFromGroupInput{
				UserName: aws.String("a"), GroupName: group,
			}))
		}},
		{"detach all policies first", func() error {
			return failure(w.DetachGroupPolicy(ctx, &client.DetachGroupPolicyInput{
				GroupName: group, PolicyArn: aws.String(core),
			}))
		}},
		{"delete policies first", func() error {
			return failure(w.DeleteGroupPolicy(ctx, &client.DeleteGroupPolicyInput{
				GroupName: group, PolicyName: aws.String("p"),
			}))
		}},
	} {
		refused(t, step.what, failure(w.DeleteGroup(ctx, &client.DeleteGroupInput{GroupName: group})),
			"409 DeleteConflict Cannot delete entity, must "+step.what+".")
		if err := step.remove(); err != nil {
			t.Fatal(err)
		}
	}
	must(w.DeleteGroup(ctx, &client.DeleteGroupInput{GroupName: group}))(t)
	refused(t, "the deleted group", failure(w.GetGroup(ctx, &client.GetGroupInput{GroupName: group})),
		"404 NoSuchEntity The group with name g cannot be found.")
}

func TestPoliciesOfUsersAndGroups(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	w.user("a")
	w.group("g")
	w.role("r")
	arn, name := w.policy("p"), aws.String("inline")
	must(w.PutUserPolicy(ctx, &client.PutUserPolicyInput{
		UserName: aws.String("A"), PolicyName: name, PolicyDocument: aws.String(document),
	}))(t)
	must(w.PutGroupPolicy(ctx, &client.PutGroupPolicyInput{
		GroupName: aws.String("G"), PolicyName: name, PolicyDocument: aws.String(document),
	}))(t)
	user := must(w.GetUserPolicy(ctx, &client.GetUserPolicyInput{UserName: aws.String("A"), PolicyName: name}))(t)
	group := must(w.GetGroupPolicy(ctx, &client.GetGroupPolicyInput{GroupName: aws.String("G"), PolicyName: name}))(t)
	if *user.UserName != "a" || *group.GroupName != "g" || decoded(t, user.PolicyDocument) != document ||
		decoded(t, group.PolicyDocument) != document {
		t.Errorf("the policies are %+v and %+v", user, group)
	}
	_, err := w.GetUserPolicy(ctx, &client.GetUserPolicyInput{UserName: aws.String("a"), PolicyName: aws.String("no")})
	refused(t, "a user's policy", err, "404 NoSuchEntity The user policy with name no cannot be found.")
	_, err = w.GetGroupPolicy(ctx, &client.GetGroupPolicyInput{
		GroupName: aws.String("g"), PolicyName: aws.String("no"),
	})
	refused(t, "a group's policy", err, "404 NoSuchEntity The group policy with name no cannot be found.")

	must(w.AttachUserPolicy(ctx, &client.AttachUserPolicyInput{UserName: aws.String("a"), PolicyArn: &arn}))(t)
	must(w.AttachGroupPolicy(ctx, &client.AttachGroupPolicyInput{GroupName: aws.String("g"), PolicyArn: &arn}))(t)
	must(w.PutUserPermissionsBoundary(ctx, &client.PutUserPermissionsBoundaryInput{
		UserName: aws.String("a"), PermissionsBoundary: &arn,
	}))(t)
	if err := w.attach("r", arn); err != nil {
		t.Fatal(err)
	}
	p := must(w.GetPolicy(ctx, &client.GetPolicyInput{PolicyArn: &arn}))(t).Policy
	if *p.AttachmentCount != 3 || *p.PermissionsBoundaryUsageCount != 1 {
		t.Errorf("attached %d times, a boundary %d times", *p.AttachmentCount, *p.PermissionsBoundaryUsageCount)
	}
	all := must(w.ListEntitiesForPolicy(ctx, &client.ListEntitiesForPolicyInput{PolicyArn: &arn}))(t)
	if len(all.PolicyUsers) != 1 || len(all.PolicyGroups) != 1 || len(all.PolicyRoles) != 1 {
		t.Errorf("the policy is used by %+v", all)
	}
	users := must(w.ListEntitiesForPolicy(ctx, &client.ListEntitiesForPolicyInput{
		PolicyArn: &arn, EntityFilter: types.EntityTypeUser,
	}))(t)
	if len(users.PolicyUsers) != 1 || len(users.PolicyGroups)+len(users.PolicyRoles) != 0 {
		t.Errorf("the policy is used by the users %+v", users)
	}
	attached := must(w.ListAttachedGroupPolicies(ctx, &client.ListAttachedGroupPoliciesInput{
		GroupName: aws.String("g"),
	}))(t).AttachedPolicies
	if len(attached) != 1 || *attached[0].PolicyArn != arn || *attached[0].PolicyName != "p" {
		t.Errorf("the group has %+v", attached)
	}
	_, err = w.AttachUserPolicy(ctx, &client.AttachUserPolicyInput{
		UserName: aws.String("a"), PolicyArn: aws.String("longpolicynamebutnoarn"),
	})
	refused(t, "no ARN", err, "400 InvalidInput ARN longpolicynamebutnoarn is not valid.")
}
