package ssm

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/api/page"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// The sizes of DescribeParameters' pages.
const (
	maxDescribe     = 50
	defaultDescribe = 10
)

// DescribeParameters describes the user's parameters, without their values.
func (a *API) DescribeParameters(
	ctx context.Context, in *ssm.DescribeParametersInput,
) (*ssm.DescribeParametersOutput, error) {
	filters, err := filtersOf(in)
	if err != nil {
		return nil, err
	}
	if err := model.Between("maxResults", in.MaxResults, 1, maxDescribe); err != nil {
		return nil, err
	}
	if err := describeFilters.check(filters); err != nil {
		return nil, err
	}
	last, ok := pageTokens.Last(in.NextToken)
	if !ok {
		return nil, invalidToken()
	}
	view, region, err := a.read(ctx)
	if err != nil {
		return nil, err
	}
	var found []*store.Parameter
	// No account shares parameters with another one.
	if in.Shared == nil || !*in.Shared {
		for _, row := range store.Parameters.InRegion(view, region) {
			if !store.IsPublicParameter(row.Name) && matchesFilters(row, filters) {
				found = append(found, row)
			}
		}
	}
	name := func(row *store.Parameter) string { return row.Name }
	size := int(constraint.Default(in.MaxResults, defaultDescribe))
	found, next := page.First(pageTokens, page.After(found, last, name), size, name)
	out := &ssm.DescribeParametersOutput{Parameters: []types.ParameterMetadata{}, NextToken: next}
	for _, row := range found {
		arn := arnOf(row)
		out.Parameters = append(out.Parameters, types.ParameterMetadata{
			Name: &row.Name, ARN: &arn, Version: row.Version, Type: types.ParameterType(row.Type),
			DataType: &row.DataType, Tier: types.ParameterTier(row.Tier), KeyId: optional(row.KeyID),
			Description: optional(row.Description), AllowedPattern: optional(row.AllowedPattern),
			LastModifiedDate: &row.Modified, LastModifiedUser: optional(row.ModifiedBy),
			Policies: []types.ParameterInlinePolicy{},
		})
	}
	return out, nil
}

// filtersOf returns the filters of a request. Older clients give them in a form of their own.
func filtersOf(in *ssm.DescribeParametersInput) ([]types.ParameterStringFilter, error) {
	if len(in.Filters) > 0 && len(in.ParameterFilters) > 0 {
		return nil, model.Errorf("You can use either Filters or ParameterFilters in a single request.")
	}
	filters := slices.Clone(in.ParameterFilters)
	for _, f := range in.Filters {
		if !slices.Contains(f.Key.Values(), f.Key) {
			return nil, model.OutOfSet("filters.1.member.key", f.Key, "Name", "Type", "KeyId")
		}
		filters = append(filters, types.ParameterStringFilter{Key: aws.String(string(f.Key)), Values: f.Values})
	}
	return filters, nil
}

func invalidToken() error { return wire.Errorf("InvalidNextToken", "The specified token isn't valid.") }
