package iam

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// entity is a user, a group or a role, as far as policies are concerned.
type entity struct {
	kind           types.EntityType
	name, path, id string
	store.Permissions
}

// key is the order of entities in lists.
func (e entity) key() string { return string(e.kind) + "/" + strings.ToLower(e.name) }

// entitiesIn returns all users, groups and roles of the account.
func entitiesIn(ctx context.Context, r store.Reader) []entity {
	var out []entity
	for _, row := range usersIn(ctx, r) {
		out = append(out, entity{types.EntityTypeUser, row.Name, row.Path, row.ID, row.Permissions})
	}
	for _, row := range store.Groups.InRegion(r, wire.GlobalFrom(ctx)) {
		out = append(out, entity{types.EntityTypeGroup, row.Name, row.Path, row.ID, row.Permissions})
	}
	for _, row := range store.Roles.InRegion(r, wire.GlobalFrom(ctx)) {
		out = append(out, entity{types.EntityTypeRole, row.Name, row.Path, row.ID, row.Permissions})
	}
	return out
}

// uses reports whether an entity uses a policy in a way. The empty kind means either.
func (e entity) uses(arn string, kind types.PolicyUsageType) bool {
	attached := slices.Contains(e.Attached, arn)
	switch kind {
	case types.PolicyUsageTypePermissionsPolicy:
		return attached
	case types.PolicyUsageTypePermissionsBoundary:
		return e.Boundary == arn
	}
	return attached || e.Boundary == arn
}

// ListEntitiesForPolicy lists the users, the groups and the roles that use a policy.
func (a *API) ListEntitiesForPolicy(
	ctx context.Context, in *iam.ListEntitiesForPolicyInput,
) (*iam.ListEntitiesForPolicyOutput, error) {
	prefix, err := prefixOf(in.PathPrefix)
	if err != nil {
		return nil, err
	}
	if err := checkEnum("entityFilter", in.EntityFilter, in.EntityFilter.Values()); err != nil {
		return nil, err
	}
	if err := checkEnum("policyUsageFilter", in.PolicyUsageFilter, in.PolicyUsageFilter.Values()); err != nil {
		return nil, err
	}
	view := a.Store.Read(ctx)
	found, err := findPolicy(ctx, view, in.PolicyArn)
	if err != nil {
		return nil, err
	}
	rows := slices.DeleteFunc(entitiesIn(ctx, view), func(e entity) bool {
		return in.EntityFilter != "" && e.kind != in.EntityFilter || !strings.HasPrefix(e.path, prefix) ||
			!e.uses(found.ARN, in.PolicyUsageFilter)
	})
	page, err := paginate(rows, entity.key, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &iam.ListEntitiesForPolicyOutput{
		PolicyUsers: []types.PolicyUser{}, PolicyGroups: []types.PolicyGroup{}, PolicyRoles: []types.PolicyRole{},
		IsTruncated: page.more, Marker: page.marker,
	}
	for _, e := range page.items {
		switch e.kind {
		case types.EntityTypeUser:
			out.PolicyUsers = append(out.PolicyUsers, types.PolicyUser{UserId: &e.id, UserName: &e.name})
		case types.EntityTypeGroup:
			out.PolicyGroups = append(out.PolicyGroups, types.PolicyGroup{GroupId: &e.id, GroupName: &e.name})
		default:
			out.PolicyRoles = append(out.PolicyRoles, types.PolicyRole{RoleId: &e.id, RoleName: &e.name})
		}
	}
	return out, nil
}
