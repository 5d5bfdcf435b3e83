package iam

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Limits of how long sessions of a role last, in seconds (IAM API Reference, CreateRole).
const (
	minSession = 3600
	maxSession = 43200
)

// CreateRole creates a role.
func (a *API) CreateRole(ctx context.Context, in *iam.CreateRoleInput) (*iam.CreateRoleOutput, error) {
	if err := checkRole(in.RoleName, in.Description, in.MaxSessionDuration); err != nil {
		return nil, err
	}
	path, err := pathOf(in.Path)
	if err != nil {
		return nil, err
	}
	tags, err := insensitive.merge(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	trust, err := parseTrust("assumeRolePolicyDocument", in.AssumeRolePolicyDocument)
	if err != nil {
		return nil, err
	}
	row := store.Role{
		Name: *in.RoleName, Path: path, ID: a.ids.UniqueID("AROA"), ARN: arn(ctx, "role", path, *in.RoleName),
		Description: aws.ToString(in.Description), Trust: *in.AssumeRolePolicyDocument,
		MaxSession: constraint.Default(in.MaxSessionDuration, minSession), Created: a.now(), Tags: tags,
	}
	if err := a.Store.Update(func(tx *store.Tx) error {
		if _, taken := store.Roles.Get(tx, row.Key()); taken {
			return entityExists("Role with name %s already exists.", row.Name)
		}
		if in.PermissionsBoundary != nil {
			if err := checkBoundary(ctx, tx, in.PermissionsBoundary); err != nil {
				return err
			}
			row.Boundary = *in.PermissionsBoundary
		}
		if err := checkPrincipals(ctx, tx, trust); err != nil {
			return err
		}
		store.Roles.Put(tx, &row)
		return nil
	}); err != nil {
		return nil, err
	}
	out := describeRole(&row)
	out.MaxSessionDuration, out.Description = nil, nil // only reads return them
	out.PermissionsBoundary, out.Tags = boundaryOf(row.Permissions), tagItems(row.Tags)
	return &iam.CreateRoleOutput{Role: &out}, nil
}

// checkRole refuses attributes that no role can have.
func checkRole(name, description *string, session *int32) error {
	if err := checkName("roleName", name, maxRoleName); err != nil {
		return err
	}
	if err := checkDescription(description, descriptionForm); err != nil {
		return err
	}
	return model.Between("maxSessionDuration", session, minSession, maxSession)
}

// findRole returns the role that a request names.
func findRole(ctx context.Context, r store.Reader, name *string) (*store.Role, error) {
	if err := checkName("roleName", name, maxRoleName); err != nil {
		return nil, err
	}
	row, ok := store.Roles.Get(r, store.NameKey(wire.RegionFrom(ctx), *name))
	if !ok {
		return nil, roleNotFound(*name)
	}
	return row, nil
}

// editRole changes a copy of the role that a request names and stores it. change must
// replace slices and maps.
func (a *API) editRole(ctx context.Context, name *string, change func(tx *store.Tx, row *store.Role) error) error {
	return a.Store.Update(func(tx *store.Tx) error {
		old, err := findRole(ctx, tx, name)
		if err != nil {
			return err
		}
		row := *old
		if err := change(tx, &row); err != nil {
			return err
		}
		if err := checkLinked(old, &row); err != nil {
			return err
		}
		store.Roles.Put(tx, &row)
		return nil
	})
}

// describeRole returns a role as lists show it: without its tags, its boundary and its last
// use (IAM API Reference, ListRoles).
func describeRole(row *store.Role) types.Role {
	out := types.Role{
		RoleName: &row.Name, Path: &row.Path, RoleId: &row.ID, Arn: &row.ARN, CreateDate: &row.Created,
		AssumeRolePolicyDocument: encoded(row.Trust), MaxSessionDuration: &row.MaxSession,
	}
	if row.Description != "" {
		out.Description = &row.Description
	}
	return out
}

// describeWholeRole returns a role as GetRole shows it.
func describeWholeRole(row *store.Role) *types.Role {
	out := describeRole(row)
	out.PermissionsBoundary, out.Tags = boundaryOf(row.Permissions), tagItems(row.Tags)
	out.RoleLastUsed = &types.RoleLastUsed{}
	if !row.LastUsed.IsZero() {
		out.RoleLastUsed = &types.RoleLastUsed{LastUsedDate: &row.LastUsed, Region: &row.LastUsedRegion}
	}
	return &out
}

// GetRole returns a role.
func (a *API) GetRole(ctx context.Context, in *iam.GetRoleInput) (*iam.GetRoleOutput, error) {
	row, err := findRole(ctx, a.Store.Read(ctx), in.RoleName)
	if err != nil {
		return nil, err
	}
	return &iam.GetRoleOutput{Role: describeWholeRole(row)}, nil
}

// ListRoles lists the roles below a path.
func (a *API) ListRoles(ctx context.Context, in *iam.ListRolesInput) (*iam.ListRolesOutput, error) {
	prefix, err := prefixOf(in.PathPrefix)
	if err != nil {
		return nil, err
	}
	all := store.Roles.InRegion(a.Store.Read(ctx), wire.GlobalFrom(ctx))
	rows := slices.DeleteFunc(all, func(row *store.Role) bool {
		return !strings.HasPrefix(row.Path, prefix)
	})
	page, err := paginate(rows, roleKey, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListRolesOutput{
		Roles: convert(page.items, describeRole), IsTruncated: page.more, Marker: page.marker,
	}, nil
}

// roleKey is the order of roles in lists.
func roleKey(row *store.Role) string { return row.Key() }

// UpdateRole changes the description of a role and how long its sessions may last, if the request
// has them. AWS keeps what it does not have, although its reference says that sessions then last an
// hour.
func (a *API) UpdateRole(ctx context.Context, in *iam.UpdateRoleInput) (*iam.UpdateRoleOutput, error) {
	if err := checkRole(in.RoleName, in.Description, in.MaxSessionDuration); err != nil {
		return nil, err
	}
	return &iam.UpdateRoleOutput{}, a.editRole(ctx, in.RoleName, func(_ *store.Tx, row *store.Role) error {
		row.Description = constraint.Default(in.Description, row.Description)
		row.MaxSession = constraint.Default(in.MaxSessionDuration, row.MaxSession)
		return nil
	})
}

// UpdateRoleDescription changes the description of a role.
func (a *API) UpdateRoleDescription(
	ctx context.Context, in *iam.UpdateRoleDescriptionInput,
) (*iam.UpdateRoleDescriptionOutput, error) {
	if in.Description == nil {
		return nil, model.Null("description")
	}
	if err := checkRole(in.RoleName, in.Description, nil); err != nil {
		return nil, err
	}
	var out *types.Role
	err := a.editRole(ctx, in.RoleName, func(_ *store.Tx, row *store.Role) error {
		row.Description = *in.Description
		out = describeWholeRole(row)
		out.MaxSessionDuration, out.RoleLastUsed = nil, nil // only reads return them
		return nil
	})
	return &iam.UpdateRoleDescriptionOutput{Role: out}, err
}

// UpdateAssumeRolePolicy replaces the document that says who may assume a role.
func (a *API) UpdateAssumeRolePolicy(
	ctx context.Context, in *iam.UpdateAssumeRolePolicyInput,
) (*iam.UpdateAssumeRolePolicyOutput, error) {
	if err := checkName("roleName", in.RoleName, maxRoleName); err != nil {
		return nil, err
	}
	trust, err := parseTrust("policyDocument", in.PolicyDocument)
	if err != nil {
		return nil, err
	}
	return &iam.UpdateAssumeRolePolicyOutput{}, a.editRole(ctx, in.RoleName, func(tx *store.Tx, row *store.Role) error {
		row.Trust = *in.PolicyDocument
		return checkPrincipals(ctx, tx, trust)
	})
}

// DeleteRole deletes a role that has no policies and is in no instance profile.
func (a *API) DeleteRole(ctx context.Context, in *iam.DeleteRoleInput) (*iam.DeleteRoleOutput, error) {
	return &iam.DeleteRoleOutput{}, a.Store.Update(func(tx *store.Tx) error {
		row, err := findRole(ctx, tx, in.RoleName)
		switch {
		case err != nil:
			return err
		case row.Service != "":
			return protected(row)
		case len(profilesOf(tx, row)) > 0:
			return deleteConflict("Cannot delete entity, must remove roles from instance profile first.")
		case len(row.Attached) > 0:
			return deleteConflict("Cannot delete entity, must detach all policies first.")
		case len(row.Inline) > 0:
			return deleteConflict("Cannot delete entity, must delete policies first.")
		}
		store.Roles.Delete(tx, row.Key())
		return nil
	})
}
