package iam_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestAPolicyIsCreatedAndRead(t *testing.T) {
	w := newWorld(t)
	created := must(w.CreatePolicy(t.Context(), &client.CreatePolicyInput{
		PolicyName: aws.String("Own"), Path: aws.String("/app/"), Description: aws.String("λ is allowed"),
		PolicyDocument: aws.String(document),
	}))(t).Policy
	if !regexp.MustCompile(`^ANPA[A-Z2-7]{17}$`).MatchString(*created.PolicyId) {
		t.Errorf("the id is %s", *created.PolicyId)
	}
	want := types.Policy{
		PolicyName: aws.String("Own"), Path: aws.String("/app/"), PolicyId: created.PolicyId,
		Arn: aws.String("arn:aws:iam::000000000000:policy/app/Own"), CreateDate: &now, UpdateDate: &now,
		DefaultVersionId: aws.String("v1"), IsAttachable: true, AttachmentCount: aws.Int32(0),
		PermissionsBoundaryUsageCount: aws.Int32(0),
	}
	ignore := cmpopts.IgnoreUnexported(types.Policy{}, types.Tag{})
	if diff := cmp.Diff(&want, created, ignore); diff != "" {
		t.Errorf("created (-want +got):\n%s", diff)
	}
	want.Description, want.Tags = aws.String("λ is allowed"), []types.Tag{}
	got := must(w.GetPolicy(t.Context(), &client.GetPolicyInput{PolicyArn: created.Arn}))(t).Policy
	if diff := cmp.Diff(&want, got, ignore); diff != "" {
		t.Errorf("read (-want +got):\n%s", diff)
	}
	must(w.DeletePolicy(t.Context(), &client.DeletePolicyInput{PolicyArn: created.Arn}))(t)
	_, err := w.DeletePolicy(t.Context(), &client.DeletePolicyInput{PolicyArn: created.Arn})
	refused(t, "a deleted policy", err, "404 NoSuchEntity Policy "+*created.Arn+" was not found.")
}

func TestCreatePolicyRefuses(t *testing.T) {
	w := newWorld(t)
	w.policy("taken")
	large := strings.Replace(document, "s3:*", "s3:"+strings.Repeat("a", 6144), 1)
	old := strings.Replace(document, `"Version": "2012-10-17", `, "", 1)
	for name, test := range map[string]struct {
		in   client.CreatePolicyInput
		want string
	}{
		"a taken name": {
			client.CreatePolicyInput{PolicyName: new("Taken"), PolicyDocument: new(document), Path: new("/x/")},
			"409 EntityAlreadyExists A policy called Taken already exists. Duplicate names are not allowed.",
		},
		"a malformed document": {
			client.CreatePolicyInput{PolicyName: new("a"), PolicyDocument: new(`{"Version": "2012-10-17"}`)},
			"400 MalformedPolicyDocument Syntax errors in policy. Missing required field Statement",
		},
		"no version": {
			client.CreatePolicyInput{PolicyName: new("a"), PolicyDocument: &old},
			"400 MalformedPolicyDocument Policy document must be version 2012-10-17 or greater.",
		},
		"a large document": {
			client.CreatePolicyInput{PolicyName: new("a"), PolicyDocument: &large},
			"409 LimitExceeded Cannot exceed quota for PolicySize: 6144",
		},
		"a malformed name": {
			client.CreatePolicyInput{PolicyName: new("a/b"), PolicyDocument: new(document)}, "400 ValidationError",
		},
	} {
		_, err := w.CreatePolicy(t.Context(), &test.in)
		refused(t, name, err, test.want)
	}
}

// versions describes the versions of a policy: "v2* v1".
func (w *world) versions(arn string) string {
	w.t.Helper()
	var out []string
	pages := client.NewListPolicyVersionsPaginator(w, &client.ListPolicyVersionsInput{
		PolicyArn: &arn, MaxItems: aws.Int32(2),
	})
	for pages.HasMorePages() {
		for _, v := range must(pages.NextPage(w.t.Context()))(w.t).Versions {
			text := *v.VersionId
			if v.IsDefaultVersion {
				text += "*"
			}
			out = append(out, text)
		}
	}
	return strings.Join(out, " ")
}

func TestVersionsOfAPolicy(t *testing.T) {
	w := newWorld(t)
	arn := w.policy("p")
	add := func(asDefault bool) error {
		_, err := w.CreatePolicyVersion(t.Context(), &client.CreatePolicyVersionInput{
			PolicyArn: &arn, SetAsDefault: asDefault,
			PolicyDocument: aws.String(strings.Replace(document, "s3", "ec2", 1)),
		})
		return err
	}
	remove := func(id string) error {
		_, err := w.DeletePolicyVersion(t.Context(), &client.DeletePolicyVersionInput{PolicyArn: &arn, VersionId: &id})
		return err
	}
	for i := range 4 {
		if err := add(i == 1); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.versions(arn); got != "v5 v4 v3* v2 v1" {
		t.Errorf("got %s", got)
	}
	refused(t, "a sixth version", add(false), "409 LimitExceeded A managed policy can have up to 5 versions.")
	refused(t, "the default version", remove("v3"), "409 DeleteConflict Cannot delete the default version of a policy.")
	if err := remove("v5"); err != nil {
		t.Fatal(err)
	}
	refused(t, "a deleted version", remove("v5"), "404 NoSuchEntity Policy "+arn+" version v5 does not exist "+
		"or is not attachable.")
	refused(t, "a malformed version", remove("5"), "400 ValidationError")
	if err := add(false); err != nil {
		t.Fatal(err)
	}
	set := func(id string) error {
		_, err := w.SetDefaultPolicyVersion(t.Context(), &client.SetDefaultPolicyVersionInput{
			PolicyArn: &arn, VersionId: &id,
		})
		return err
	}
	refused(t, "an unknown version", set("v7"), "404 NoSuchEntity")
	if err := set("v6"); err != nil {
		t.Fatal(err)
	}
	if got := w.versions(arn); got != "v6* v4 v3 v2 v1" {
		t.Errorf("got %s, want a number that was not used before", got)
	}
	version := must(w.GetPolicyVersion(t.Context(), &client.GetPolicyVersionInput{
		PolicyArn: &arn, VersionId: aws.String("v6"),
	}))(t).PolicyVersion
	if text := decoded(t, version.Document); !strings.Contains(text, "ec2:*") || !version.IsDefaultVersion {
		t.Errorf("got %s", text)
	}
	_, err := w.DeletePolicy(t.Context(), &client.DeletePolicyInput{PolicyArn: &arn})
	refused(t, "a policy with versions", err, "409 DeleteConflict This policy has more than one version.")
}

func TestAWSsPoliciesCanBeReadOnly(t *testing.T) {
	w := newWorld(t)
	arn := aws.String(core)
	policy := must(w.GetPolicy(t.Context(), &client.GetPolicyInput{PolicyArn: arn}))(t).Policy
	version := must(w.GetPolicyVersion(t.Context(), &client.GetPolicyVersionInput{
		PolicyArn: arn, VersionId: policy.DefaultVersionId,
	}))(t).PolicyVersion
	if text := decoded(t, version.Document); !strings.Contains(text, "ssm:GetParameters") {
		t.Errorf("got %s", text)
	}
	for name, call := range map[string]func() error{
		"DeletePolicy": func() error {
			_, err := w.DeletePolicy(t.Context(), &client.DeletePolicyInput{PolicyArn: arn})
			return err
		},
		"CreatePolicyVersion": func() error {
			_, err := w.CreatePolicyVersion(t.Context(), &client.CreatePolicyVersionInput{
				PolicyArn: arn, PolicyDocument: aws.String(document),
			})
			return err
		},
		"TagPolicy": func() error {
			_, err := w.TagPolicy(t.Context(), &client.TagPolicyInput{PolicyArn: arn, Tags: []types.Tag{}})
			return err
		},
	} {
		refused(t, name, call(), "403 AccessDenied Policy is outside your own account.")
	}
}

func TestPoliciesAreListedByTheirUse(t *testing.T) {
	w := newWorld(t)
	w.role("a")
	own, unused := w.policy("own"), w.policy("unused")
	must(w.AttachRolePolicy(t.Context(), &client.AttachRolePolicyInput{RoleName: aws.String("a"), PolicyArn: &own}))(t)
	must(w.PutRolePermissionsBoundary(t.Context(), &client.PutRolePermissionsBoundaryInput{
		RoleName: aws.String("a"), PermissionsBoundary: aws.String(core),
	}))(t)
	for name, test := range map[string]struct {
		in   client.ListPoliciesInput
		want []string
	}{
		"local":    {client.ListPoliciesInput{Scope: types.PolicyScopeTypeLocal}, []string{own, unused}},
		"attached": {client.ListPoliciesInput{OnlyAttached: true}, []string{own, core}},
		"boundaries": {
			client.ListPoliciesInput{PolicyUsageFilter: types.PolicyUsageTypePermissionsBoundary}, []string{core},
		},
		"permissions": {
			client.ListPoliciesInput{PolicyUsageFilter: types.PolicyUsageTypePermissionsPolicy}, []string{own},
		},
		"of AWS and attached": {
			client.ListPoliciesInput{OnlyAttached: true, Scope: types.PolicyScopeTypeAws}, []string{core},
		},
		"elsewhere": {client.ListPoliciesInput{PathPrefix: aws.String("/x/")}, nil},
	} {
		var got []string
		for _, p := range must(w.ListPolicies(t.Context(), &test.in))(t).Policies {
			got = append(got, *p.Arn)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	all := must(w.ListPolicies(t.Context(), &client.ListPoliciesInput{Scope: types.PolicyScopeTypeAws}))(t).Policies
	if len(all) < 5 || *all[0].Arn != admin {
		t.Errorf("AWS has %d policies", len(all))
	}
	_, err := w.ListPolicies(t.Context(), &client.ListPoliciesInput{Scope: "Mine"})
	refused(t, "an unknown scope", err, "400 ValidationError 1 validation error detected: Value at 'scope'")
}

func TestEntitiesOfAPolicy(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"a", "b", "c"} {
		w.role(name)
	}
	arn := w.policy("p")
	for _, role := range []string{"b", "a"} {
		must(w.AttachRolePolicy(t.Context(), &client.AttachRolePolicyInput{RoleName: &role, PolicyArn: &arn}))(t)
	}
	must(w.PutRolePermissionsBoundary(t.Context(), &client.PutRolePermissionsBoundaryInput{
		RoleName: aws.String("c"), PermissionsBoundary: &arn,
	}))(t)
	for name, test := range map[string]struct {
		in   client.ListEntitiesForPolicyInput
		want string
	}{
		"all":         {client.ListEntitiesForPolicyInput{}, "[a b c]"},
		"permissions": {client.ListEntitiesForPolicyInput{PolicyUsageFilter: "PermissionsPolicy"}, "[a b]"},
		"boundaries":  {client.ListEntitiesForPolicyInput{PolicyUsageFilter: "PermissionsBoundary"}, "[c]"},
		"roles":       {client.ListEntitiesForPolicyInput{EntityFilter: types.EntityTypeRole}, "[a b c]"},
		"users":       {client.ListEntitiesForPolicyInput{EntityFilter: types.EntityTypeUser}, "[]"},
		"elsewhere":   {client.ListEntitiesForPolicyInput{PathPrefix: aws.String("/x")}, "[]"},
		"the first":   {client.ListEntitiesForPolicyInput{MaxItems: aws.Int32(1)}, "[a]"},
	} {
		test.in.PolicyArn = &arn
		var got []string
		for _, r := range must(w.ListEntitiesForPolicy(t.Context(), &test.in))(t).PolicyRoles {
			got = append(got, *r.RoleName)
		}
		if fmt.Sprint(got) != test.want {
			t.Errorf("%s: got %v, want %s", name, got, test.want)
		}
	}
}

func TestTagsOfPoliciesRespectCase(t *testing.T) {
	w := newWorld(t)
	arn := w.policy("p")
	tag := func(key, value string) types.Tag { return types.Tag{Key: &key, Value: &value} }
	must(w.TagPolicy(t.Context(), &client.TagPolicyInput{
		PolicyArn: &arn, Tags: []types.Tag{tag("a", "1"), tag("A", "2"), tag("b", "3")},
	}))(t)
	must(w.UntagPolicy(t.Context(), &client.UntagPolicyInput{PolicyArn: &arn, TagKeys: []string{"a"}}))(t)
	got := must(w.ListPolicyTags(t.Context(), &client.ListPolicyTagsInput{PolicyArn: &arn}))(t).Tags
	ignore := cmpopts.IgnoreUnexported(types.Tag{})
	if diff := cmp.Diff([]types.Tag{tag("A", "2"), tag("b", "3")}, got, ignore); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
