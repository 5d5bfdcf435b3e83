package iam

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"aloft.dev/aloft/internal/cloud/managedpolicy"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// ListPolicies lists managed policies of the account and of AWS.
func (a *API) ListPolicies(ctx context.Context, in *iam.ListPoliciesInput) (*iam.ListPoliciesOutput, error) {
	prefix, err := prefixOf(in.PathPrefix)
	if err != nil {
		return nil, err
	}
	if err := checkEnum("scope", in.Scope, in.Scope.Values()); err != nil {
		return nil, err
	}
	if err := checkEnum("policyUsageFilter", in.PolicyUsageFilter, in.PolicyUsageFilter.Values()); err != nil {
		return nil, err
	}
	view := a.Store.Read(ctx)
	var rows []types.Policy
	for _, p := range policiesIn(ctx, view, in.Scope) {
		used := usageOf(ctx, view, p.ARN)
		filtered := in.OnlyAttached || in.PolicyUsageFilter != ""
		if strings.HasPrefix(p.Path, prefix) && (!filtered || used.of(in.PolicyUsageFilter) > 0) {
			rows = append(rows, describePolicy(p, used))
		}
	}
	page, err := paginate(rows, func(p types.Policy) string { return *p.Arn }, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListPoliciesOutput{
		Policies: append([]types.Policy{}, page.items...), IsTruncated: page.more, Marker: page.marker,
	}, nil
}

// policiesIn returns the policies of a scope. The empty scope contains all.
func policiesIn(ctx context.Context, r store.Reader, scope types.PolicyScopeType) []policy {
	var out []policy
	if scope != types.PolicyScopeTypeAws {
		out = convert(store.Policies.InRegion(r, wire.GlobalFrom(ctx)), ownPolicy)
	}
	if scope != types.PolicyScopeTypeLocal {
		for _, p := range managedpolicy.All() {
			out = append(out, managedPolicy(&p))
		}
	}
	return out
}

// checkEnum refuses a value that is not one of known. It accepts the empty value, which
// stands for the default.
func checkEnum[T ~string](member string, value T, known []T) error {
	if value == "" || slices.Contains(known, value) {
		return nil
	}
	return model.OutOfSet(member, value, convert(known, func(k T) string { return string(k) })...)
}

// ListEntitiesForPolicy lists the roles that use a policy.
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
	var rows []*store.Role
	for _, role := range store.Roles.InRegion(view, wire.GlobalFrom(ctx)) {
		wanted := in.EntityFilter == "" || in.EntityFilter == types.EntityTypeRole
		if wanted && strings.HasPrefix(role.Path, prefix) && uses(role, found.ARN, in.PolicyUsageFilter) {
			rows = append(rows, role)
		}
	}
	page, err := paginate(rows, roleKey, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	describe := func(r *store.Role) types.PolicyRole { return types.PolicyRole{RoleId: &r.ID, RoleName: &r.Name} }
	return &iam.ListEntitiesForPolicyOutput{
		PolicyRoles: convert(page.items, describe), IsTruncated: page.more, Marker: page.marker,
		PolicyGroups: []types.PolicyGroup{}, PolicyUsers: []types.PolicyUser{},
	}, nil
}

// uses reports whether a role uses a policy in a way. The empty kind means either.
func uses(role *store.Role, arn string, kind types.PolicyUsageType) bool {
	attached := slices.Contains(role.Attached, arn)
	switch kind {
	case types.PolicyUsageTypePermissionsPolicy:
		return attached
	case types.PolicyUsageTypePermissionsBoundary:
		return role.Boundary == arn
	}
	return attached || role.Boundary == arn
}
