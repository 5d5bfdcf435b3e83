package iam_test

import (
	"errors"
	"regexp"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"aloft.dev/aloft/internal/cloud/api/iam"
	"aloft.dev/aloft/internal/cloud/wire"
)

func TestAnInstanceProfileAndItsRole(t *testing.T) {
	w := newWorld(t)
	w.role("r")
	name, role := aws.String("P"), aws.String("r")
	tags := []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}}
	created := must(w.CreateInstanceProfile(t.Context(), &client.CreateInstanceProfileInput{
		InstanceProfileName: name, Path: aws.String("/x/"), Tags: tags,
	}))(t).InstanceProfile
	if !regexp.MustCompile(`^AIPA[A-Z2-7]{17}$`).MatchString(*created.InstanceProfileId) {
		t.Errorf("the id is %s", *created.InstanceProfileId)
	}
	want := types.InstanceProfile{
		InstanceProfileName: name, Path: aws.String("/x/"), InstanceProfileId: created.InstanceProfileId,
		Arn: aws.String("arn:aws:iam::000000000000:instance-profile/x/P"), CreateDate: &now, Roles: []types.Role{},
		Tags: tags,
	}
	ignore := cmpopts.IgnoreUnexported(types.InstanceProfile{}, types.Tag{})
	if diff := cmp.Diff(&want, created, ignore); diff != "" {
		t.Errorf("created (-want +got):\n%s", diff)
	}
	add := &client.AddRoleToInstanceProfileInput{InstanceProfileName: name, RoleName: role}
	must(w.AddRoleToInstanceProfile(t.Context(), add))(t)
	_, err := w.AddRoleToInstanceProfile(t.Context(), add)
	refused(t, "a second role", err,
		"409 LimitExceeded Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1")
	got := must(w.GetInstanceProfile(t.Context(), &client.GetInstanceProfileInput{InstanceProfileName: name}))(t)
	if roles := got.InstanceProfile.Roles; len(roles) != 1 || *roles[0].RoleName != "r" ||
		decoded(t, roles[0].AssumeRolePolicyDocument) != trust || len(got.InstanceProfile.Tags) != 1 {
		t.Errorf("got %+v", got.InstanceProfile)
	}
	_, err = w.DeleteInstanceProfile(t.Context(), &client.DeleteInstanceProfileInput{InstanceProfileName: name})
	refused(t, "a profile with a role", err,
		"409 DeleteConflict Cannot delete entity, must remove roles from instance profile first.")
	remove := &client.RemoveRoleFromInstanceProfileInput{InstanceProfileName: name, RoleName: role}
	must(w.RemoveRoleFromInstanceProfile(t.Context(), remove))(t)
	_, err = w.RemoveRoleFromInstanceProfile(t.Context(), remove)
	refused(t, "a removed role", err, "404 NoSuchEntity The role with name r cannot be found.")
	must(w.DeleteInstanceProfile(t.Context(), &client.DeleteInstanceProfileInput{InstanceProfileName: name}))(t)
	_, err = w.DeleteInstanceProfile(t.Context(), &client.DeleteInstanceProfileInput{InstanceProfileName: name})
	refused(t, "a deleted profile", err, "404 NoSuchEntity Instance Profile P cannot be found.")
}

func TestInstanceProfileErrors(t *testing.T) {
	w := newWorld(t)
	w.profile("p")
	_, err := w.CreateInstanceProfile(t.Context(), &client.CreateInstanceProfileInput{
		InstanceProfileName: aws.String("P"),
	})
	refused(t, "a taken name", err, "409 EntityAlreadyExists Instance Profile P already exists.")
	_, err = w.CreateInstanceProfile(t.Context(), &client.CreateInstanceProfileInput{
		InstanceProfileName: aws.String("a b"),
	})
	refused(t, "a malformed name", err, "400 ValidationError The specified value for instanceProfileName is invalid.")
	_, err = w.AddRoleToInstanceProfile(t.Context(), &client.AddRoleToInstanceProfileInput{
		InstanceProfileName: aws.String("p"), RoleName: aws.String("no"),
	})
	refused(t, "an unknown role", err, "404 NoSuchEntity The role with name no cannot be found.")
	_, err = w.AddRoleToInstanceProfile(t.Context(), &client.AddRoleToInstanceProfileInput{
		InstanceProfileName: aws.String("no"), RoleName: aws.String("no"),
	})
	refused(t, "an unknown profile", err, "404 NoSuchEntity Instance Profile no cannot be found.")
}

func TestInstanceProfilesAreListed(t *testing.T) {
	w := newWorld(t)
	w.role("r")
	for _, name := range []string{"b", "a", "c"} {
		w.profile(name)
	}
	for _, name := range []string{"c", "b"} {
		must(w.AddRoleToInstanceProfile(t.Context(), &client.AddRoleToInstanceProfileInput{
			InstanceProfileName: &name, RoleName: aws.String("R"),
		}))(t)
	}
	names := func(list []types.InstanceProfile) (out []string) {
		for _, p := range list {
			out = append(out, *p.InstanceProfileName)
		}
		return out
	}
	first := must(w.ListInstanceProfiles(t.Context(), &client.ListInstanceProfilesInput{MaxItems: aws.Int32(2)}))(t)
	second := must(w.ListInstanceProfiles(t.Context(), &client.ListInstanceProfilesInput{Marker: first.Marker}))(t)
	ofRole := must(w.ListInstanceProfilesForRole(t.Context(), &client.ListInstanceProfilesForRoleInput{
		RoleName: aws.String("r"),
	}))(t)
	got := [][]string{
		names(first.InstanceProfiles), names(second.InstanceProfiles), names(ofRole.InstanceProfiles),
	}
	if diff := cmp.Diff([][]string{{"a", "b"}, {"c"}, {"b", "c"}}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !first.IsTruncated || second.IsTruncated {
		t.Error("only the first page is truncated")
	}
}

func TestTagsOfInstanceProfiles(t *testing.T) {
	w := newWorld(t)
	w.profile("p")
	name := aws.String("p")
	tag := func(key, value string) types.Tag { return types.Tag{Key: &key, Value: &value} }
	must(w.TagInstanceProfile(t.Context(), &client.TagInstanceProfileInput{
		InstanceProfileName: name, Tags: []types.Tag{tag("a", "1"), tag("A", "2"), tag("b", "")},
	}))(t)
	must(w.UntagInstanceProfile(t.Context(), &client.UntagInstanceProfileInput{
		InstanceProfileName: name, TagKeys: []string{"A"},
	}))(t)
	got := must(w.ListInstanceProfileTags(t.Context(), &client.ListInstanceProfileTagsInput{
		InstanceProfileName: name,
	}))(t).Tags
	ignore := cmpopts.IgnoreUnexported(types.Tag{})
	if diff := cmp.Diff([]types.Tag{tag("a", "1"), tag("b", "")}, got, ignore); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestNotFoundIsTheErrorOfTheOperations(t *testing.T) {
	w := newWorld(t)
	_, role := w.GetRole(t.Context(), &client.GetRoleInput{RoleName: aws.String("no")})
	_, profile := w.GetInstanceProfile(t.Context(), &client.GetInstanceProfileInput{
		InstanceProfileName: aws.String("no"),
	})
	_, user := w.GetUser(t.Context(), &client.GetUserInput{UserName: aws.String("no")})
	arn := "arn:aws:iam::000000000000:policy/no"
	_, policy := w.GetPolicy(t.Context(), &client.GetPolicyInput{PolicyArn: &arn})
	for field, test := range map[string]struct {
		id  string
		got error
	}{
		"RoleName": {"no", role}, "InstanceProfileName": {"no", profile}, "PolicyArn": {arn, policy},
		"UserName": {"no", user},
	} {
		failure, ok := errors.AsType[*wire.Error](iam.NotFound(field, test.id))
		if !ok {
			t.Fatalf("%s: no error", field)
		}
		refused(t, field, test.got, "404 NoSuchEntity "+failure.Message)
	}
	if err := iam.NotFound("PolicyName", "no"); err != nil {
		t.Errorf("got %v for a field that names nothing", err)
	}
}
