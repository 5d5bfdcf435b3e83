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

// DescribeTags returns the tags of the region's groups.
func (a *API) DescribeTags(
	ctx context.Context, in *autoscaling.DescribeTagsInput,
) (*autoscaling.DescribeTagsOutput, error) {
	for _, f := range in.Filters {
		switch name := aws.ToString(f.Name); name {
		case "auto-scaling-group", "key", "value", "propagate-at-launch":
		default:
			return nil, invalid("Filter type %s is not correct. Allowed Filter types are: "+
				"auto-scaling-group key value propagate-at-launch", name)
		}
	}
	found := []types.TagDescription{}
	for _, g := range store.ScalingGroups.InRegion(a.Store.Read(ctx), wire.RegionFrom(ctx)) {
		for _, t := range g.Tags {
			if matchesFilters(g, t, in.Filters) {
				found = append(found, describeTag(g, t))
			}
		}
	}
	key := func(t types.TagDescription) string { return *t.ResourceId + "\x00" + *t.Key }
	found, next, err := paginate(pageRequest{in.MaxRecords, in.NextToken, 50, 100}, found, key)
	return &autoscaling.DescribeTagsOutput{Tags: found, NextToken: next}, err
}

// matchesFilters reports whether a tag has one of the values of each filter.
// Values of propagate-at-launch may be in any case.
func matchesFilters(g *store.ScalingGroup, t store.ScalingTag, filters []types.Filter) bool {
	values := map[string]string{
		"auto-scaling-group":  g.Name,
		"key":                 t.Key,
		"value":               t.Value,
		"propagate-at-launch": strconv.FormatBool(t.Propagate),
	}
	for _, f := range filters {
		value := values[*f.Name]
		if !slices.ContainsFunc(f.Values, func(v string) bool {
			return v == value || *f.Name == "propagate-at-launch" && strings.EqualFold(v, value)
		}) {
			return false
		}
	}
	return true
}
