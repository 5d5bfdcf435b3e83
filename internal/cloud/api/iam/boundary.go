package iam

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"aloft.dev/aloft/internal/cloud/store"
)

// boundaryType is the only type of permissions boundaries that IAM returns (IAM API
// Reference, AttachedPermissionsBoundary).
const boundaryType types.PermissionsBoundaryAttachmentType = "Policy"

func boundaryOf(row *store.Role) *types.AttachedPermissionsBoundary {
	if row.Boundary == "" {
		return nil
	}
	return &types.AttachedPermissionsBoundary{
		PermissionsBoundaryArn: &row.Boundary, PermissionsBoundaryType: boundaryType,
	}
}

// checkBoundary refuses a policy that cannot be a permissions boundary.
func checkBoundary(ctx context.Context, r store.Reader, arn *string) error {
	if err := checkPolicyARN(arn); err != nil {
		return err
	}
	if !policyExists(ctx, r, *arn) {
		return notAttachable("Scope ARN: "+*arn, *arn)
	}
	return nil
}

// PutRolePermissionsBoundary makes a managed policy the permissions boundary of a role.
func (a *API) PutRolePermissionsBoundary(
	ctx context.Context, in *iam.PutRolePermissionsBoundaryInput,
) (*iam.PutRolePermissionsBoundaryOutput, error) {
	if in.PermissionsBoundary == nil {
		return nil, model.Null("permissionsBoundary")
	}
	out := &iam.PutRolePermissionsBoundaryOutput{}
	return out, a.editRole(ctx, in.RoleName, func(tx *store.Tx, row *store.Role) error {
		row.Boundary = *in.PermissionsBoundary
		return checkBoundary(ctx, tx, in.PermissionsBoundary)
	})
}

// DeleteRolePermissionsBoundary removes the permissions boundary of a role, if it has
// one.
func (a *API) DeleteRolePermissionsBoundary(
	ctx context.Context, in *iam.DeleteRolePermissionsBoundaryInput,
) (*iam.DeleteRolePermissionsBoundaryOutput, error) {
	out := &iam.DeleteRolePermissionsBoundaryOutput{}
	return out, a.editRole(ctx, in.RoleName, func(_ *store.Tx, row *store.Role) error {
		row.Boundary = ""
		return nil
	})
}
