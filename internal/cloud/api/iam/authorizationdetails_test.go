package iam_test

import (
	"bytes"
	"encoding/csv"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"
)

func TestAuthorizationDetailsHaveEverything(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	w.user("ada")
	w.group("team")
	w.role("web")
	w.profile("p")
	arn := w.policy("limit")
	must(w.AddRoleToInstanceProfile(ctx, &client.AddRoleToInstanceProfileInput{
		RoleName: aws.String("web"), InstanceProfileName: aws.String("p"),
	}))(t)
	must(w.PutRolePolicy(ctx, &client.PutRolePolicyInput{
		RoleName: aws.String("web"), PolicyName: aws.String("in"), PolicyDocument: new(document),
	}))(t)
	if err := w.attach("web", arn); err != nil {
		t.Fatal(err)
	}
	if err := w.join("ada", "team"); err != nil {
		t.Fatal(err)
	}
	var all client.GetAccountAuthorizationDetailsOutput
	in := &client.GetAccountAuthorizationDetailsInput{MaxItems: aws.Int32(2)}
	for p := client.NewGetAccountAuthorizationDetailsPaginator(w, in); p.HasMorePages(); {
		page := must(p.NextPage(ctx))(t)
		all.UserDetailList = append(all.UserDetailList, page.UserDetailList...)
		all.GroupDetailList = append(all.GroupDetailList, page.GroupDetailList...)
		all.RoleDetailList = append(all.RoleDetailList, page.RoleDetailList...)
		all.Policies = append(all.Policies, page.Policies...)
	}
	if len(all.UserDetailList) != 2 || len(all.GroupDetailList) != 1 || len(all.RoleDetailList) != 1 ||
		len(all.Policies) < 10 {
		t.Fatalf("got %+v", all)
	}
	role, ada := all.RoleDetailList[0], all.UserDetailList[0]
	if *role.InstanceProfileList[0].InstanceProfileName != "p" || *role.AttachedManagedPolicies[0].PolicyArn != arn ||
		decoded(t, role.RolePolicyList[0].PolicyDocument) != document || role.RoleLastUsed == nil {
		t.Errorf("the role is %+v", role)
	}
	if diff := cmp.Diff([]string{"team"}, ada.GroupList); diff != "" || ada.UserPolicyList != nil {
		t.Errorf("the user is %+v\n%s", ada, diff)
	}
	if policy := all.Policies[0]; *policy.Arn != arn || *policy.AttachmentCount != 1 ||
		decoded(t, policy.PolicyVersionList[0].Document) != document {
		t.Errorf("the policy is %+v", policy)
	}
	filtered := must(w.GetAccountAuthorizationDetails(ctx, &client.GetAccountAuthorizationDetailsInput{
		Filter: []types.EntityType{types.EntityTypeLocalManagedPolicy, types.EntityTypeGroup},
	}))(t)
	if len(filtered.Policies) != 1 || len(filtered.GroupDetailList) != 1 || len(filtered.UserDetailList) != 0 ||
		len(filtered.RoleDetailList) != 0 {
		t.Errorf("filtered %+v", filtered)
	}
	_, err := w.GetAccountAuthorizationDetails(ctx, &client.GetAccountAuthorizationDetailsInput{
		Filter: []types.EntityType{"Other"},
	})
	refused(t, "an unknown filter", err, "400 ValidationError 1 validation error detected: Value at 'filter' failed")
}

func TestCredentialReports(t *testing.T) {
	w, ctx, ada := newWorld(t), t.Context(), aws.String("ada")
	_, err := w.GetCredentialReport(ctx, &client.GetCredentialReportInput{})
	refused(t, "no report", err, "410 ReportNotPresent")
	w.user("ada")
	must(w.CreateLoginProfile(ctx, &client.CreateLoginProfileInput{
		UserName: ada, Password: aws.String("Secret-123"),
	}))(t)
	must(w.UpdateAccountPasswordPolicy(ctx, &client.UpdateAccountPasswordPolicyInput{MaxPasswordAge: aws.Int32(10)}))(t)
	key := must(w.CreateAccessKey(ctx, &client.CreateAccessKeyInput{UserName: ada}))(t).AccessKey.AccessKeyId
	must(w.UpdateAccessKey(ctx, &client.UpdateAccessKeyInput{
		UserName: ada, AccessKeyId: key, Status: types.StatusTypeInactive,
	}))(t)
	for _, want := range []types.ReportStateType{types.ReportStateTypeStarted, types.ReportStateTypeComplete} {
		if got := must(w.GenerateCredentialReport(ctx, &client.GenerateCredentialReportInput{}))(t).State; got != want {
			t.Errorf("the report is %s, want %s", got, want)
		}
	}
	got := must(w.GetCredentialReport(ctx, &client.GetCredentialReportInput{}))(t)
	lines, err := csv.NewReader(bytes.NewReader(got.Content)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	const made, none = "2026-11-24T12:00:00+00:00", "N/A"
	if len(lines) != 4 || *got.GeneratedTime != now || lines[1][0] != "<root_account>" || lines[3][0] != "aloft" {
		t.Fatalf("the report is %q", lines)
	}
	if diff := cmp.Diff([]string{
		"ada", "arn:aws:iam::000000000000:user/ada", made,
		"true", "no_information", made, "2026-12-04T12:00:00+00:00", "false",
		"false", made, none, none, none, "false", none, none, none, none, "false", none, "false", none,
	}, lines[2]); diff != "" {
		t.Error(diff)
	}
}
