package iam

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"aloft.dev/aloft/internal/cloud/store"
)

// boundaryType is the only type of permissions boundaries that IAM returns (IAM API
// Reference, AttachedPermissionsBoundary).
const boundaryType types.PermissionsBoundaryAttachmentType = "Policy"

func boundaryOf(p store.Permissions) *types.AttachedPermissionsBoundary {
	if p.Boundary == "" {
		return nil
	}
	return &types.AttachedPermissionsBoundary{
		PermissionsBoundaryArn: &p.Boundary, PermissionsBoundaryType: boundaryType,
	}
}

// checkBoundary refuses a policy that cannot be a permissions boundary.
func checkBoundary(ctx context.Context, r store.Reader, arn *string) error {
	if err := checkAttachable(arn); err != nil {
		return err
	}
	if !policyExists(ctx, r, *arn) {
		return notAttachable("Scope ARN: "+*arn, *arn)
	}
	return nil
}

// setBoundary makes a managed policy the permissions boundary of a user or a role.
func (a *API) setBoundary(ctx context.Context, h holder, name, policy *string) error {
	if policy == nil {
		return model.Null("permissionsBoundary")
	}
	return h.edit(a, ctx, name, func(tx *store.Tx, _ string, p *store.Permissions) error {
		p.Boundary = *policy
		return checkBoundary(ctx, tx, policy)
	})
}

// removeBoundary removes the permissions boundary of a user or a role, if it has one.
func (a *API) removeBoundary(ctx context.Context, h holder, name *string) error {
	return h.edit(a, ctx, name, func(_ *store.Tx, _ string, p *store.Permissions) error {
		p.Boundary = ""
		return nil
	})
}
