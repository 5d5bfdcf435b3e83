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
	all := usages(ctx, view)
	for _, p := range policiesIn(ctx, view, in.Scope) {
		used := all[p.ARN]
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
	return model.OutOfSet(member, convert(known, func(k T) string { return string(k) })...)
}
