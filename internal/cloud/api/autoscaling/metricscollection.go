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

// granularity is the one that group metrics have.
const granularity = "1Minute"

// EnableMetricsCollection has a group's metrics measured: those named, or all.
func (a *API) EnableMetricsCollection(ctx context.Context, in *autoscaling.EnableMetricsCollectionInput) (*autoscaling.EnableMetricsCollectionOutput, error) {
	if err := cmp.Or(model.Required("granularity", in.Granularity != nil), checkMetrics(in.Metrics)); err != nil {
		return nil, err
	}
	if *in.Granularity != granularity {
		return nil, invalid("Invalid granularity %s. The only valid value is %s", *in.Granularity, granularity)
	}
	return &autoscaling.EnableMetricsCollectionOutput{}, a.updateMetrics(
		ctx,
		in.AutoScalingGroupName,
		func(name string, enabled bool) bool {
			return enabled || len(in.Metrics) == 0 || slices.Contains(in.Metrics, name)
		},
	)
}

// DisableMetricsCollection ends the measuring of a group's metrics: of those named,
// or of all.
func (a *API) DisableMetricsCollection(ctx context.Context, in *autoscaling.DisableMetricsCollectionInput) (*autoscaling.DisableMetricsCollectionOutput, error) {
	if err := checkMetrics(in.Metrics); err != nil {
		return nil, err
	}
	return &autoscaling.DisableMetricsCollectionOutput{}, a.updateMetrics(
		ctx,
		in.AutoScalingGroupName,
		func(name string, enabled bool) bool {
			return enabled && len(in.Metrics) > 0 && !slices.Contains(in.Metrics, name)
		},
	)
}

func checkMetrics(names []string) error {
	for _, name := range names {
		if !slices.Contains(capacity.GroupMetrics, name) {
			return invalid("Invalid metric %s. Valid metrics are [%s]", name, strings.Join(capacity.GroupMetrics, ", "))
		}
	}
	return nil
}

// updateMetrics decides anew for every metric whether it is measured.
func (a *API) updateMetrics(ctx context.Context, group *string, wanted func(name string, enabled bool) bool) error {
	return a.Store.Update(func(tx *store.Tx) error {
		g, err := findActiveGroup(tx, wire.RegionFrom(ctx), group)
		if err != nil {
			return err
		}
		var names []string
		for _, name := range capacity.GroupMetrics {
			if wanted(name, slices.Contains(g.Metrics, name)) {
				names = append(names, name)
			}
		}
		store.ScalingGroups.Edit(tx, g.Key(), func(row *store.ScalingGroup) { row.Metrics = names })
		return nil
	})
}

// DescribeMetricCollectionTypes lists what can be measured of a group.
func (a *API) DescribeMetricCollectionTypes(context.Context, *autoscaling.DescribeMetricCollectionTypesInput) (*autoscaling.DescribeMetricCollectionTypesOutput, error) {
	out := &autoscaling.DescribeMetricCollectionTypesOutput{
		Granularities: []types.MetricGranularityType{{Granularity: aws.String(granularity)}},
	}
	for _, name := range capacity.GroupMetrics {
		out.Metrics = append(out.Metrics, types.MetricCollectionType{Metric: aws.String(name)})
	}
	return out, nil
}
