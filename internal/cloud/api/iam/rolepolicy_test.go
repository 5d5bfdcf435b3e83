package iam_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/google/go-cmp/cmp"
)

func TestInlinePolicies(t *testing.T) {
	w := newWorld(t)
	w.role("a")
	role := aws.String("a")
	for _, name := range []string{"two", "one"} {
		must(w.PutRolePolicy(t.Context(), &client.PutRolePolicyInput{
			RoleName: role, PolicyName: &name, PolicyDocument: aws.String(document),
		}))(t)
	}
	replaced := strings.Replace(document, "s3:*", "ec2:Describe*", 1)
	must(w.PutRolePolicy(t.Context(), &client.PutRolePolicyInput{
		RoleName: role, PolicyName: aws.String("two"), PolicyDocument: &replaced,
	}))(t)
	got := must(w.GetRolePolicy(t.Context(), &client.GetRolePolicyInput{
		RoleName: role, PolicyName: aws.String("two"),
	}))(t)
	if text := decoded(t, got.PolicyDocument); text != replaced || *got.RoleName != "a" || *got.PolicyName != "two" {
		t.Errorf("got %s of %s: %s", *got.PolicyName, *got.RoleName, text)
	}
	list := must(w.ListRolePolicies(t.Context(), &client.ListRolePoliciesInput{RoleName: role}))(t)
	if diff := cmp.Diff([]string{"one", "two"}, list.PolicyNames); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	must(w.DeleteRolePolicy(t.Context(), &client.DeleteRolePolicyInput{
		RoleName: role, PolicyName: aws.String("two"),
	}))(t)
	_, err := w.GetRolePolicy(t.Context(), &client.GetRolePolicyInput{RoleName: role, PolicyName: aws.String("two")})
	refused(t, "a deleted policy", err, "404 NoSuchEntity The role policy with name two cannot be found.")
	_, err = w.DeleteRolePolicy(t.Context(), &client.DeleteRolePolicyInput{
		RoleName: role, PolicyName: aws.String("two"),
	})
	refused(t, "a deleted policy", err, "404 NoSuchEntity The role policy with name two cannot be found.")
}

func TestPutRolePolicyRefuses(t *testing.T) {
	w := newWorld(t)
	w.role("a")
	large := strings.Replace(document, "s3:*", "s3:"+strings.Repeat("a", 5100), 1)
	for name, test := range map[string]struct{ role, policy, document, want string }{
		"an unknown role":      {"b", "p", document, "404 NoSuchEntity The role with name b cannot be found."},
		"a malformed name":     {"a", "p q", document, "400 ValidationError The specified value for policyName"},
		"a malformed document": {"a", "p", trust, "400 MalformedPolicyDocument Policy document should not"},
		"no JSON":              {"a", "p", "{", "400 MalformedPolicyDocument Syntax errors in policy."},
	} {
		_, err := w.PutRolePolicy(t.Context(), &client.PutRolePolicyInput{
			RoleName: &test.role, PolicyName: &test.policy, PolicyDocument: &test.document,
		})
		refused(t, name, err, test.want)
	}
	in := &client.PutRolePolicyInput{RoleName: aws.String("a"), PolicyName: aws.String("1"), PolicyDocument: &large}
	must(w.PutRolePolicy(t.Context(), in))(t)
	in.PolicyName = aws.String("2")
	_, err := w.PutRolePolicy(t.Context(), in)
	refused(t, "more than 10240 characters", err,
		"409 LimitExceeded Maximum policy size of 10240 bytes exceeded for role a")
}

func TestAttachedPolicies(t *testing.T) {
	w := newWorld(t)
	w.role("a")
	role, own := aws.String("a"), w.policy("own")
	for _, arn := range []string{core, own, core} { // the second time has no effect
		must(w.AttachRolePolicy(t.Context(), &client.AttachRolePolicyInput{RoleName: role, PolicyArn: &arn}))(t)
	}
	list := must(w.ListAttachedRolePolicies(t.Context(), &client.ListAttachedRolePoliciesInput{RoleName: role}))(t)
	var got []string
	for _, p := range list.AttachedPolicies {
		got = append(got, *p.PolicyName+" "+*p.PolicyArn)
	}
	if diff := cmp.Diff([]string{"own " + own, "AmazonSSMManagedInstanceCore " + core}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	below := must(w.ListAttachedRolePolicies(t.Context(), &client.ListAttachedRolePoliciesInput{
		RoleName: role, PathPrefix: aws.String("/x/"),
	}))(t)
	if len(below.AttachedPolicies) != 0 {
		t.Errorf("got %v", below.AttachedPolicies)
	}
	must(w.DetachRolePolicy(t.Context(), &client.DetachRolePolicyInput{RoleName: role, PolicyArn: &own}))(t)
	_, err := w.DetachRolePolicy(t.Context(), &client.DetachRolePolicyInput{RoleName: role, PolicyArn: &own})
	refused(t, "a detached policy", err, "404 NoSuchEntity Policy "+own+" was not found.")
}

func TestAttachRolePolicyRefuses(t *testing.T) {
	w := newWorld(t)
	w.role("a")
	for arn, want := range map[string]string{
		"policy":                  "400 ValidationError 1 validation error",
		"not-an-arn-of-a-policy!": "400 InvalidInput ARN not-an-arn-of-a-policy! is not valid.",
		"arn:aws:iam::000000000000:policy/no": "404 NoSuchEntity Policy arn:aws:iam::000000000000:policy/no does not " +
			"exist or is not attachable.",
		"arn:aws:iam::aws:policy/AmazonRDSFullAccess": "404 NoSuchEntity Policy " +
			"arn:aws:iam::aws:policy/AmazonRDSFullAccess does not exist or is not attachable. Of the policies that " +
			"AWS manages, aloft's local cloud has only these: AdministratorAccess, ",
	} {
		refused(t, arn, w.attach("a", arn), want)
	}
	for i := range 11 {
		arn := w.policy("p" + strconv.Itoa(i))
		err := w.attach("a", arn)
		switch {
		case i == 10:
			refused(t, "an 11th policy", err, "409 LimitExceeded Cannot exceed quota for PoliciesPerRole: 10")
		case err != nil:
			t.Fatal(err)
		}
	}
}

func TestPermissionsBoundaries(t *testing.T) {
	w := newWorld(t)
	w.role("a")
	role, own := aws.String("a"), w.policy("own")
	must(w.PutRolePermissionsBoundary(t.Context(), &client.PutRolePermissionsBoundaryInput{
		RoleName: role, PermissionsBoundary: &own,
	}))(t)
	policy := must(w.GetPolicy(t.Context(), &client.GetPolicyInput{PolicyArn: &own}))(t).Policy
	if *policy.PermissionsBoundaryUsageCount != 1 || *policy.AttachmentCount != 0 {
		t.Errorf("the policy is a boundary %d times", *policy.PermissionsBoundaryUsageCount)
	}
	_, err := w.DeletePolicy(t.Context(), &client.DeletePolicyInput{PolicyArn: &own})
	refused(t, "a policy that is a boundary", err, "409 DeleteConflict Cannot delete a policy attached to entities.")
	must(w.DeleteRolePermissionsBoundary(t.Context(), &client.DeleteRolePermissionsBoundaryInput{RoleName: role}))(t)
	got := must(w.GetRole(t.Context(), &client.GetRoleInput{RoleName: role}))(t).Role
	if got.PermissionsBoundary != nil {
		t.Errorf("the boundary is %s", *got.PermissionsBoundary.PermissionsBoundaryArn)
	}
	_, err = w.PutRolePermissionsBoundary(t.Context(), &client.PutRolePermissionsBoundaryInput{
		RoleName: role, PermissionsBoundary: aws.String("arn:aws:iam::aws:policy/No"),
	})
	refused(t, "an unknown policy", err, "404 NoSuchEntity Scope ARN: arn:aws:iam::aws:policy/No does not exist")
}

func TestDeleteRoleRefusesARoleInUse(t *testing.T) {
	w := newWorld(t)
	w.role("a")
	w.profile("p")
	role, profile := aws.String("a"), aws.String("p")
	must(w.PutRolePolicy(t.Context(), &client.PutRolePolicyInput{
		RoleName: role, PolicyName: aws.String("x"), PolicyDocument: aws.String(document),
	}))(t)
	if err := w.attach("a", admin); err != nil {
		t.Fatal(err)
	}
	must(w.AddRoleToInstanceProfile(t.Context(), &client.AddRoleToInstanceProfileInput{
		RoleName: role, InstanceProfileName: profile,
	}))(t)
	for _, step := range []struct {
		want string
		undo func() error
	}{
		{
			"409 DeleteConflict Cannot delete entity, must remove roles from instance profile first.",
			func() error {
				_, err := w.RemoveRoleFromInstanceProfile(t.Context(), &client.RemoveRoleFromInstanceProfileInput{
					RoleName: role, InstanceProfileName: profile,
				})
				return err
			},
		},
		{
			"409 DeleteConflict Cannot delete entity, must detach all policies first.",
			func() error {
				_, err := w.DetachRolePolicy(t.Context(), &client.DetachRolePolicyInput{
					RoleName: role, PolicyArn: aws.String(admin),
				})
				return err
			},
		},
		{
			"409 DeleteConflict Cannot delete entity, must delete policies first.",
			func() error {
				_, err := w.DeleteRolePolicy(t.Context(), &client.DeleteRolePolicyInput{
					RoleName: role, PolicyName: aws.String("x"),
				})
				return err
			},
		},
	} {
		_, err := w.DeleteRole(t.Context(), &client.DeleteRoleInput{RoleName: role})
		refused(t, "a role in use", err, step.want)
		if err := step.undo(); err != nil {
			t.Fatal(err)
		}
	}
	must(w.DeleteRole(t.Context(), &client.DeleteRoleInput{RoleName: role}))(t)
	_, err := w.DeleteRole(t.Context(), &client.DeleteRoleInput{RoleName: role})
	refused(t, "a deleted role", err, "404 NoSuchEntity The role with name a cannot be found.")
}
