package iam_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"aloft.dev/aloft/internal/cloud/store"
)

const scalingService, scalingRole = "autoscaling.amazonaws.com", "AWSServiceRoleForAutoScaling_mine"

// linked creates the service-linked role scalingRole.
func (w *world) linked() {
	w.t.Helper()
	must(w.CreateServiceLinkedRole(w.t.Context(), &client.CreateServiceLinkedRoleInput{
		AWSServiceName: aws.String(scalingService), CustomSuffix: aws.String("mine"), Description: aws.String("d"),
	}))(w.t)
}

func TestServiceLinkedRolesAreTheirServices(t *testing.T) {
	w, ctx, name := newWorld(t), t.Context(), aws.String(scalingRole)
	w.linked()
	role := must(w.GetRole(ctx, &client.GetRoleInput{RoleName: name}))(t).Role
	if *role.Arn != "arn:aws:iam::000000000000:role/aws-service-role/"+scalingService+"/"+scalingRole ||
		*role.Description != "d" || !strings.Contains(decoded(t, role.AssumeRolePolicyDocument), scalingService) {
		t.Errorf("the role is %+v", role)
	}
	attached := must(w.ListAttachedRolePolicies(ctx, &client.ListAttachedRolePoliciesInput{RoleName: name}))(t)
	policy := attached.AttachedPolicies[0].PolicyArn
	if *policy != "arn:aws:iam::aws:policy/aws-service-role/AutoScalingServiceRolePolicy" {
		t.Errorf("the role's policy is %s", *policy)
	}
	if got := must(w.GetPolicy(ctx, &client.GetPolicyInput{PolicyArn: policy}))(t).Policy; *got.Path !=
		"/aws-service-role/" || *got.AttachmentCount != 1 {
		t.Errorf("the policy is %+v", got)
	}
	w.role("own")
	refused(t, "its policy for another role", w.attach("own", *policy),
		"400 PolicyNotAttachable Cannot attach a Service Role Policy to a Customer Role.")
	want := "400 UnmodifiableEntity Cannot perform the operation on the protected role '" + scalingRole +
		"' - this role is only modifiable by AWS"
	w.profile("p")
	for what, err := range map[string]error{
		"attach": w.attach(scalingRole, core),
		"detach": failure(w.DetachRolePolicy(ctx, &client.DetachRolePolicyInput{RoleName: name, PolicyArn: policy})),
		"put": failure(w.PutRolePolicy(ctx, &client.PutRolePolicyInput{
			RoleName: name, PolicyName: aws.String("p"), PolicyDocument: new(document),
		})),
		"trust": failure(w.UpdateAssumeRolePolicy(ctx, &client.UpdateAssumeRolePolicyInput{
			RoleName: name, PolicyDocument: new(trust),
		})),
		"sessions": failure(w.UpdateRole(ctx, &client.UpdateRoleInput{
			RoleName: name, MaxSessionDuration: aws.Int32(7200),
		})),
		"profile": failure(w.AddRoleToInstanceProfile(ctx, &client.AddRoleToInstanceProfileInput{
			RoleName: name, InstanceProfileName: aws.String("p"),
		})),
		"delete": failure(w.DeleteRole(ctx, &client.DeleteRoleInput{RoleName: name})),
	} {
		refused(t, what, err, want)
	}
	must(w.UpdateRole(ctx, &client.UpdateRoleInput{RoleName: name, Description: aws.String("other")}))(t)
	must(w.TagRole(ctx, &client.TagRoleInput{
		RoleName: name, Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}},
	}))(t)
}

func TestServiceLinkedRolesOfOthersAreRefused(t *testing.T) {
	w := newWorld(t)
	w.linked()
	for want, in := range map[string]*client.CreateServiceLinkedRoleInput{
		"400 InvalidInput Service role name " + scalingRole + " has been taken in this account, please try a " +
			"different suffix.": {AWSServiceName: aws.String(scalingService), CustomSuffix: aws.String("mine")},
		"400 InvalidInput Custom suffix is not allowed for spot.amazonaws.com": {
			AWSServiceName: aws.String("spot.amazonaws.com"), CustomSuffix: aws.String("mine"),
		},
		"400 NotImplemented aloft's local cloud does not implement service-linked roles of batch.amazonaws.com": {
			AWSServiceName: aws.String("batch.amazonaws.com"),
		},
	} {
		refused(t, want, failure(w.CreateServiceLinkedRole(t.Context(), in)), want)
	}
}

func TestServiceLinkedRolesInUseStay(t *testing.T) {
	w, ctx, name := newWorld(t), t.Context(), aws.String(scalingRole)
	w.linked()
	w.role("own")
	group := &store.ScalingGroup{
		Name: "g", Region: "eu-west-1", ARN: "arn:g",
		ServiceLinkedRoleARN: "arn:aws:iam::000000000000:role/aws-service-role/" + scalingService + "/" + scalingRole,
	}
	remove := func() *client.GetServiceLinkedRoleDeletionStatusOutput {
		task := must(w.DeleteServiceLinkedRole(ctx, &client.DeleteServiceLinkedRoleInput{RoleName: name}))(t)
		return must(w.GetServiceLinkedRoleDeletionStatus(ctx, &client.GetServiceLinkedRoleDeletionStatusInput{
			DeletionTaskId: task.DeletionTaskId,
		}))(t)
	}
	if err := w.store.Update(func(tx *store.Tx) error { store.ScalingGroups.Put(tx, group); return nil }); err != nil {
		t.Fatal(err)
	}
	if got := remove(); got.Status != types.DeletionTaskStatusTypeFailed || *got.Reason.RoleUsageList[0].Region !=
		"eu-west-1" || got.Reason.RoleUsageList[0].Resources[0] != "arn:g" {
		t.Errorf("the deletion of a role in use: %+v", got)
	}
	if err := w.store.Update(func(tx *store.Tx) error {
		store.ScalingGroups.Delete(tx, group.Key())
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if got := remove(); got.Status != types.DeletionTaskStatusTypeSucceeded || got.Reason != nil {
		t.Errorf("the deletion: %+v", got)
	}
	_, err := w.GetRole(ctx, &client.GetRoleInput{RoleName: name})
	refused(t, "a deleted role", err, "404 NoSuchEntity The role with name "+scalingRole+" cannot be found.")
	_, err = w.DeleteServiceLinkedRole(ctx, &client.DeleteServiceLinkedRoleInput{RoleName: aws.String("own")})
	refused(t, "an own role", err, "404 NoSuchEntity")
}
