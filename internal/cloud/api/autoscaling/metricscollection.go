package autoscaling

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/cloud/scaling/capacity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// granularity is the only granularity of group metrics.
const granularity = "1Minute"

// EnableMetricsCollection enables the given group metrics, or all of them.
func (a *API) EnableMetricsCollection(
	ctx context.Context, in *autoscaling.EnableMetricsCollectionInput,
) (*autoscaling.EnableMetricsCollectionOutput, error) {
	if err := cmp.Or(model.Required("granularity", in.Granularity != nil), checkMetrics(in.Metrics)); err != nil {
		return nil, err
	}
	if *in.Granularity != granularity {
		return nil, invalid("Invalid granularity %s. The only valid value is %s", *in.Granularity, granularity)
	}
	enabled := func(name string, before bool) bool {
		return before || len(in.Metrics) == 0 || slices.Contains(in.Metrics, name)
	}
	return &autoscaling.EnableMetricsCollectionOutput{}, a.updateMetrics(ctx, in.AutoScalingGroupName, enabled)
}

// DisableMetricsCollection disables the given group metrics, or all of them.
func (a *API) DisableMetricsCollection(
	ctx context.Context, in *autoscaling.DisableMetricsCollectionInput,
) (*autoscaling.DisableMetricsCollectionOutput, error) {
	if err := checkMetrics(in.Metrics); err != nil {
		return nil, err
	}
	enabled := func(name string, before bool) bool {
		return before && len(in.Metrics) > 0 && !slices.Contains(in.Metrics, name)
	}
	return &autoscaling.DisableMetricsCollectionOutput{}, a.updateMetrics(ctx, in.AutoScalingGroupName, enabled)
}

func checkMetrics(names []string) error {
	for _, name := range names {
		if !slices.Contains(capacity.GroupMetrics, name) {
			return invalid("Invalid metric %s. Valid metrics are [%s]", name, strings.Join(capacity.GroupMetrics, ", "))
		}
	}
	return nil
}

// updateMetrics enables those of a group's metrics for which enabled returns true.
// before reports whether the metric has been enabled until now.
func (a *API) updateMetrics(ctx context.Context, group *string, enabled func(name string, before bool) bool) error {
	return a.Store.Update(func(tx *store.Tx) error {
		g, err := findActiveGroup(tx, wire.RegionFrom(ctx), group)
		if err != nil {
			return err
		}
		var names []string
		for _, name := range capacity.GroupMetrics {
			if enabled(name, slices.Contains(g.Metrics, name)) {
				names = append(names, name)
			}
		}
		store.ScalingGroups.Edit(tx, g.Key(), func(row *store.ScalingGroup) { row.Metrics = names })
		return nil
	})
}

// DescribeMetricCollectionTypes lists the group metrics.
func (a *API) DescribeMetricCollectionTypes(
	context.Context, *autoscaling.DescribeMetricCollectionTypesInput,
) (*autoscaling.DescribeMetricCollectionTypesOutput, error) {
	out := &autoscaling.DescribeMetricCollectionTypesOutput{
		Granularities: []types.MetricGranularityType{{Granularity: aws.String(granularity)}},
	}
	for _, name := range capacity.GroupMetrics {
		out.Metrics = append(out.Metrics, types.MetricCollectionType{Metric: aws.String(name)})
	}
	return out, nil
}
