package autoscaling

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// DescribeTags lists the tags of the region's groups.
func (a *API) DescribeTags(ctx context.Context, in *autoscaling.DescribeTagsInput) (*autoscaling.DescribeTagsOutput, error) {
	for _, f := range in.Filters {
		if name := aws.ToString(f.Name); !slices.Contains(
			[]string{"auto-scaling-group", "key", "value", "propagate-at-launch"},
			name,
		) {
			return nil, invalid(
				"Filter type %s is not correct. Allowed Filter types are: auto-scaling-group key value propagate-at-launch",
				name,
			)
		}
	}
	var found []types.TagDescription
	for _, g := range store.ScalingGroups.By(a.Store.View(), "region", wire.RegionFrom(ctx)) {
		for _, t := range g.Tags {
			if matchesFilters(g, t, in.Filters) {
				found = append(found, describeTag(g, t))
			}
		}
	}
	found, next, err := paginate(
		pageRequest{in.MaxRecords, in.NextToken, 50, 100},
		found,
		func(t types.TagDescription) string { return *t.ResourceId + "\x00" + *t.Key },
	)
	return &autoscaling.DescribeTagsOutput{Tags: append([]types.TagDescription{}, found...), NextToken: next}, err
}

func matchesFilters(g *store.ScalingGroup, t store.ScalingTag, filters []types.Filter) bool {
	is := map[string]string{
		"auto-scaling-group":  g.Name,
		"key":                 t.Key,
		"value":               t.Value,
		"propagate-at-launch": strconv.FormatBool(t.Propagate),
	}
	for _, f := range filters {
		if !slices.ContainsFunc(f.Values, func(v string) bool {
			return strings.EqualFold(v, is[*f.Name]) && (*f.Name == "propagate-at-launch" || v == is[*f.Name])
		}) {
			return false
		}
	}
	return true
}
