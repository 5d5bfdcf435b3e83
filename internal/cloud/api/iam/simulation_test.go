package iam_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"
)

const (
	listBuckets = `{"Version": "2012-10-17", "Statement": [` +
		`{"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"},` +
		`{"Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::b/${aws:username}/*",` +
		` "Condition": {"Bool": {"aws:SecureTransport": "true"}}},` +
		`{"Effect": "Deny", "Action": "s3:GetBucketAcl", "Resource": "*"}]}`
	object = "arn:aws:s3:::b/ada/x"
)

// said returns what a result says: the action, the resource, the decision, and the statements that
// lead to it with their first columns.
func said(r types.EvaluationResult) string {
	text := fmt.Sprintf("%s %s %s", *r.EvalActionName, *r.EvalResourceName, r.EvalDecision)
	for _, m := range r.MatchedStatements {
		text += fmt.Sprintf(" %s/%s@%d:%d", m.SourcePolicyType, *m.SourcePolicyId, m.StartPosition.Line,
			m.StartPosition.Column)
	}
	return text
}

func entry(name, kind string, values ...string) types.ContextEntry {
	return types.ContextEntry{
		ContextKeyName: &name, ContextKeyType: types.ContextKeyTypeEnum(kind), ContextKeyValues: values,
	}
}

func TestSimulationsOfGivenPolicies(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	given := []types.ContextEntry{
		entry("aws:username", "string", "ada"), entry("AWS:SecureTransport", "boolean", "true"),
	}
	const ada, own, other = "arn:aws:iam::000000000000:user/ada", "000000000000", "111111111111"
	grant := func(effect, principal, owner string) *client.SimulateCustomPolicyInput {
		return &client.SimulateCustomPolicyInput{
			PolicyInputList: []string{listBuckets},
			ActionNames:     []string{"s3:PutObject"}, ResourceArns: []string{object},
			CallerArn: aws.String(ada), ResourceOwner: &owner,
			ResourcePolicy: aws.String(`{"Statement": {"Effect": "` + effect + `", "Principal": {"AWS": "` + principal +
				`"}, "Action": "s3:PutObject", "Resource": "*"}}`),
		}
	}
	for want, in := range map[string]*client.SimulateCustomPolicyInput{
		"s3:ListAllMyBuckets * allowed IAM Policy/PolicyInputList.1@1:41": {
			ActionNames: []string{"s3:ListAllMyBuckets"},
		},
		"s3:GetObject " + object + " allowed IAM Policy/PolicyInputList.1@1:110": {
			ActionNames: []string{"s3:GetObject"}, ResourceArns: []string{object}, ContextEntries: given,
		},
		"s3:GetObject " + object + " implicitDeny": {
			ActionNames: []string{"s3:GetObject"}, ResourceArns: []string{object}, ContextEntries: given[:1],
		},
		"s3:GetBucketAcl * explicitDeny IAM Policy/PolicyInputList.1@1:255": {ActionNames: []string{"s3:GetBucketAcl"}},
		"s3:ListAllMyBuckets * implicitDeny": {
			ActionNames: []string{"s3:ListAllMyBuckets"}, PermissionsBoundaryPolicyInputList: []string{
				`{"Statement": {"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}}`,
			},
		},
		"s3:PutObject " + object + " allowed Resource Policy/ResourcePolicy@1:16":      grant("Allow", ada, own),
		"s3:PutObject " + object + " explicitDeny Resource Policy/ResourcePolicy@1:16": grant("Deny", "*", own),
		"s3:PutObject " + object + " implicitDeny":                                     grant("Allow", ada, other),
	} {
		if in.PolicyInputList == nil {
			in.PolicyInputList = []string{listBuckets}
		}
		out, err := w.SimulateCustomPolicy(ctx, in)
		if err != nil {
			t.Errorf("%s: %v", want, err)
			continue
		}
		r := out.EvaluationResults[0]
		if got := said(r); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if specific := r.ResourceSpecificResults; (len(specific) == 1) != (*r.EvalResourceName != "*") ||
			len(specific) == 1 && specific[0].EvalResourceDecision != r.EvalDecision {
			t.Errorf("%s: the resources' results are %+v", want, specific)
		}
		boundary := r.PermissionsBoundaryDecisionDetail
		if (boundary != nil) != (in.PermissionsBoundaryPolicyInputList != nil) ||
			boundary != nil && boundary.AllowedByPermissionsBoundary {
			t.Errorf("%s: the boundary is %+v", want, boundary)
		}
	}
	crossed := must(w.SimulateCustomPolicy(ctx, grant("Allow", ada, other)))(t).EvaluationResults[0]
	if diff := cmp.Diff(map[string]types.PolicyEvaluationDecisionType{
		"IAM Policy": "implicitDeny", "Resource Policy": "allowed",
	}, crossed.EvalDecisionDetails); diff != "" {
		t.Error(diff)
	}
}

func TestSimulationsNameMissingContextKeys(t *testing.T) {
	w := newWorld(t)
	out := must(w.SimulateCustomPolicy(t.Context(), &client.SimulateCustomPolicyInput{
		PolicyInputList: []string{listBuckets}, ActionNames: []string{"s3:GetObject"},
		ContextEntries: []types.ContextEntry{entry("aws:Username", "string", "ada")},
	}))(t)
	if diff := cmp.Diff([]string{"aws:SecureTransport"}, out.EvaluationResults[0].MissingContextValues); diff != "" {
		t.Error(diff)
	}
	keys := must(w.GetContextKeysForCustomPolicy(t.Context(), &client.GetContextKeysForCustomPolicyInput{
		PolicyInputList: []string{listBuckets},
	}))(t).ContextKeyNames
	if diff := cmp.Diff([]string{"aws:username", "aws:SecureTransport"}, keys); diff != "" {
		t.Error(diff)
	}
}

func TestSimulationsOfPrincipalsHaveAllTheirPolicies(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	w.user("ada")
	w.group("team")
	w.role("web")
	must(w.PutUserPolicy(ctx, &client.PutUserPolicyInput{
		UserName: aws.String("ada"), PolicyName: aws.String("p"), PolicyDocument: aws.String(listBuckets),
	}))(t)
	must(w.PutGroupPolicy(ctx, &client.PutGroupPolicyInput{
		GroupName: aws.String("team"), PolicyName: aws.String("g"), PolicyDocument: new(document),
	}))(t)
	if err := w.join("ada", "team"); err != nil {
		t.Fatal(err)
	}
	if err := w.attach("web", admin); err != nil {
		t.Fatal(err)
	}
	boundary := w.policy("limit")
	must(w.PutRolePermissionsBoundary(ctx, &client.PutRolePermissionsBoundaryInput{
		RoleName: aws.String("web"), PermissionsBoundary: &boundary,
	}))(t)
	results := func(who string, actions ...string) string {
		t.Helper()
		var all []string
		in := &client.SimulatePrincipalPolicyInput{
			PolicySourceArn: aws.String("arn:aws:iam::000000000000:" + who),
			ActionNames:     actions, MaxItems: aws.Int32(1),
		}
		for p := client.NewSimulatePrincipalPolicyPaginator(w, in); p.HasMorePages(); {
			for _, r := range must(p.NextPage(ctx))(t).EvaluationResults {
				all = append(all, said(r))
			}
		}
		return strings.Join(all, "\n")
	}
	for who, want := range map[string]string{
		"user/ada": "s3:ListAllMyBuckets * allowed IAM Policy/user_ada_p@1:41 IAM Policy/group_team_g@1:41\n" +
			"ec2:RunInstances * implicitDeny",
		"group/team": "s3:ListAllMyBuckets * allowed IAM Policy/group_team_g@1:41\nec2:RunInstances * implicitDeny",
		"role/web": "s3:ListAllMyBuckets * allowed IAM Policy/AdministratorAccess@3:17\n" +
			"ec2:RunInstances * implicitDeny",
		"user/aloft": "s3:ListAllMyBuckets * allowed\nec2:RunInstances * allowed",
	} {
		if got := results(who, "s3:ListAllMyBuckets", "ec2:RunInstances"); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", who, got, want)
		}
	}
	keys := must(w.GetContextKeysForPrincipalPolicy(ctx, &client.GetContextKeysForPrincipalPolicyInput{
		PolicySourceArn: aws.String("arn:aws:iam::000000000000:user/ada"),
	}))(t).ContextKeyNames
	if len(keys) != 2 {
		t.Errorf("ada's policies refer to %v", keys)
	}
	grants := must(w.ListPoliciesGrantingServiceAccess(ctx, &client.ListPoliciesGrantingServiceAccessInput{
		Arn: aws.String("arn:aws:iam::000000000000:user/ada"), ServiceNamespaces: []string{"s3", "ec2"},
	}))(t).PoliciesGrantingServiceAccess
	if len(grants) != 2 || len(grants[0].Policies) != 0 || len(grants[1].Policies) != 2 ||
		*grants[1].Policies[1].EntityName != "team" || grants[1].Policies[1].EntityType != "GROUP" {
		t.Errorf("services are granted by %+v", grants)
	}
}

func TestSimulationsRefuseWhatTheyDoNotDo(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	w.role("web")
	role := aws.String("arn:aws:iam::000000000000:role/web")
	for want, in := range map[string]*client.SimulatePrincipalPolicyInput{
		"404 NoSuchEntity The user with name no cannot be found.": {
			PolicySourceArn: aws.String("arn:aws:iam::000000000000:user/no"),
		},
		"400 InvalidInput Invalid Entity Arn: arn:aws:iam::000000000000:root does not clearly": {
			PolicySourceArn: aws.String("arn:aws:iam::000000000000:root"),
		},
		"400 InvalidInput Simulation of resource-based policies isn't supported for IAM roles.": {
			PolicySourceArn: role, ResourcePolicy: aws.String("{}"),
		},
		"400 NotImplemented aloft's local cloud does not implement the parameter ResourceHandlingOption": {
			PolicySourceArn: role, ResourceHandlingOption: aws.String("EC2-VPC-EBS"),
		},
		"400 InvalidInput Invalid action: s3:*": {
			PolicySourceArn: role, ActionNames: []string{"s3:*"},
		},
		"400 InvalidInput Syntax errors in policy.": {PolicySourceArn: role, PolicyInputList: []string{"{}"}},
		"400 InvalidInput Invalid value for context key aws:CurrentTime of type date: now": {
			PolicySourceArn: role, ContextEntries: []types.ContextEntry{entry("aws:CurrentTime", "date", "now")},
		},
	} {
		if in.ActionNames == nil {
			in.ActionNames = []string{"s3:ListAllMyBuckets"}
		}
		refused(t, want, failure(w.SimulatePrincipalPolicy(ctx, in)), want)
	}
}
