package iam_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// failure returns the error of an operation alone.
func failure[T any](_ T, err error) error { return err }

func TestOperationsRefuseUnknownRoles(t *testing.T) {
	w, ctx, role := newWorld(t), t.Context(), aws.String("no")
	w.profile("p")
	tags, keys := []types.Tag{}, []string{"a"}
	for name, err := range map[string]error{
		"GetRole":    failure(w.GetRole(ctx, &client.GetRoleInput{RoleName: role})),
		"DeleteRole": failure(w.DeleteRole(ctx, &client.DeleteRoleInput{RoleName: role})),
		"UpdateRole": failure(w.UpdateRole(ctx, &client.UpdateRoleInput{RoleName: role})),
		"UpdateRoleDescription": failure(w.UpdateRoleDescription(ctx, &client.UpdateRoleDescriptionInput{
			RoleName: role, Description: aws.String(""),
		})),
		"UpdateAssumeRolePolicy": failure(w.UpdateAssumeRolePolicy(ctx, &client.UpdateAssumeRolePolicyInput{
			RoleName: role, PolicyDocument: aws.String(trust),
		})),
		"PutRolePermissionsBoundary": failure(w.PutRolePermissionsBoundary(
			ctx, &client.PutRolePermissionsBoundaryInput{RoleName: role, PermissionsBoundary: aws.String(core)},
		)),
		"DeleteRolePermissionsBoundary": failure(w.DeleteRolePermissionsBoundary(
			ctx, &client.DeleteRolePermissionsBoundaryInput{RoleName: role},
		)),
		"GetRolePolicy": failure(w.GetRolePolicy(ctx, &client.GetRolePolicyInput{
			RoleName: role, PolicyName: aws.String("p"),
		})),
		"ListRolePolicies": failure(w.ListRolePolicies(ctx, &client.ListRolePoliciesInput{RoleName: role})),
		"DeleteRolePolicy": failure(w.DeleteRolePolicy(ctx, &client.DeleteRolePolicyInput{
			RoleName: role, PolicyName: aws.String("p"),
		})),
		"AttachRolePolicy": w.attach("no", core),
		"DetachRolePolicy": failure(w.DetachRolePolicy(ctx, &client.DetachRolePolicyInput{
			RoleName: role, PolicyArn: aws.String(core),
		})),
		"ListAttachedRolePolicies": failure(w.ListAttachedRolePolicies(
			ctx, &client.ListAttachedRolePoliciesInput{RoleName: role},
		)),
		"ListInstanceProfilesForRole": failure(w.ListInstanceProfilesForRole(
			ctx, &client.ListInstanceProfilesForRoleInput{RoleName: role},
		)),
		"RemoveRoleFromInstanceProfile": failure(w.RemoveRoleFromInstanceProfile(
			ctx, &client.RemoveRoleFromInstanceProfileInput{RoleName: role, InstanceProfileName: aws.String("p")},
		)),
		"TagRole":      failure(w.TagRole(ctx, &client.TagRoleInput{RoleName: role, Tags: tags})),
		"UntagRole":    failure(w.UntagRole(ctx, &client.UntagRoleInput{RoleName: role, TagKeys: keys})),
		"ListRoleTags": failure(w.ListRoleTags(ctx, &client.ListRoleTagsInput{RoleName: role})),
	} {
		refused(t, name, err, "404 NoSuchEntity The role with name no cannot be found.")
	}
}

func TestOperationsRefuseUnknownPolicies(t *testing.T) {
	w, ctx, arn := newWorld(t), t.Context(), aws.String("arn:aws:iam::000000000000:policy/no")
	version := aws.String("v1")
	for name, err := range map[string]error{
		"GetPolicy":    failure(w.GetPolicy(ctx, &client.GetPolicyInput{PolicyArn: arn})),
		"DeletePolicy": failure(w.DeletePolicy(ctx, &client.DeletePolicyInput{PolicyArn: arn})),
		"CreatePolicyVersion": failure(w.CreatePolicyVersion(ctx, &client.CreatePolicyVersionInput{
			PolicyArn: arn, PolicyDocument: aws.String(document),
		})),
		"ListPolicyVersions": failure(w.ListPolicyVersions(ctx, &client.ListPolicyVersionsInput{PolicyArn: arn})),
		"ListEntitiesForPolicy": failure(w.ListEntitiesForPolicy(ctx, &client.ListEntitiesForPolicyInput{
			PolicyArn: arn,
		})),
		"TagPolicy": failure(w.TagPolicy(ctx, &client.TagPolicyInput{PolicyArn: arn, Tags: []types.Tag{}})),
		"UntagPolicy": failure(w.UntagPolicy(ctx, &client.UntagPolicyInput{
			PolicyArn: arn, TagKeys: []string{"a"},
		})),
		"ListPolicyTags": failure(w.ListPolicyTags(ctx, &client.ListPolicyTagsInput{PolicyArn: arn})),
	} {
		refused(t, name, err, "404 NoSuchEntity Policy "+*arn+" was not found.")
	}
	for name, err := range map[string]error{
		"GetPolicyVersion": failure(w.GetPolicyVersion(ctx, &client.GetPolicyVersionInput{
			PolicyArn: arn, VersionId: version,
		})),
		"SetDefaultPolicyVersion": failure(w.SetDefaultPolicyVersion(ctx, &client.SetDefaultPolicyVersionInput{
			PolicyArn: arn, VersionId: version,
		})),
		"DeletePolicyVersion": failure(w.DeletePolicyVersion(ctx, &client.DeletePolicyVersionInput{
			PolicyArn: arn, VersionId: version,
		})),
	} {
		refused(t, name, err, "404 NoSuchEntity Policy "+*arn+" version v1 does not exist or is not attachable.")
	}
}

func TestListsRefuseMarkersOfOthers(t *testing.T) {
	w, ctx, marker := newWorld(t), t.Context(), aws.String("other")
	w.role("r")
	w.profile("p")
	arn, role := w.policy("p"), aws.String("r")
	for name, err := range map[string]error{
		"ListRoles": failure(w.ListRoles(ctx, &client.ListRolesInput{
			Marker: marker,
		})),
		"ListPolicies": failure(w.ListPolicies(ctx, &client.ListPoliciesInput{
			Marker: marker,
		})),
		"ListInstanceProfiles": failure(w.ListInstanceProfiles(ctx, &client.ListInstanceProfilesInput{
			Marker: marker,
		})),
		"ListRolePolicies": failure(w.ListRolePolicies(ctx, &client.ListRolePoliciesInput{
			RoleName: role, Marker: marker,
		})),
		"ListRoleTags": failure(w.ListRoleTags(ctx, &client.ListRoleTagsInput{
			RoleName: role, Marker: marker,
		})),
		"ListPolicyTags": failure(w.ListPolicyTags(ctx, &client.ListPolicyTagsInput{
			PolicyArn: &arn, Marker: marker,
		})),
		"ListPolicyVersions": failure(w.ListPolicyVersions(ctx, &client.ListPolicyVersionsInput{
			PolicyArn: &arn, Marker: marker,
		})),
		"ListEntitiesForPolicy": failure(w.ListEntitiesForPolicy(ctx, &client.ListEntitiesForPolicyInput{
			PolicyArn: &arn, Marker: marker,
		})),
		"ListAttachedRolePolicies": failure(w.ListAttachedRolePolicies(ctx, &client.ListAttachedRolePoliciesInput{
			RoleName: role, Marker: marker,
		})),
		"ListInstanceProfilesForRole": failure(w.ListInstanceProfilesForRole(
			ctx, &client.ListInstanceProfilesForRoleInput{RoleName: role, Marker: marker},
		)),
		"ListInstanceProfileTags": failure(w.ListInstanceProfileTags(ctx, &client.ListInstanceProfileTagsInput{
			InstanceProfileName: aws.String("p"), Marker: marker,
		})),
	} {
		refused(t, name, err, "400 ValidationError Invalid Marker.")
	}
}
