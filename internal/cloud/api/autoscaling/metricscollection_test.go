//go:build linux

package autoscaling_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"aloft.dev/aloft/internal/cloud/store"
)

func TestEnableAndDisableGroupMetrics(t *testing.T) {
	c, rows := serveGroup(t)
	ctx := t.Context()
	enabled := func() int {
		g, _ := store.ScalingGroups.Get(rows.View(), "eu-west-1/web")
		return len(g.Metrics)
	}
	enable := func(names ...string) error {
		_, err := c.EnableMetricsCollection(ctx, &autoscaling.EnableMetricsCollectionInput{
			AutoScalingGroupName: aws.String("web"), Granularity: aws.String("1Minute"), Metrics: names,
		})
		return err
	}
	disable := func(names ...string) error {
		_, err := c.DisableMetricsCollection(ctx, &autoscaling.DisableMetricsCollectionInput{
			AutoScalingGroupName: aws.String("web"), Metrics: names,
		})
		return err
	}
	all := must(c.DescribeMetricCollectionTypes(ctx, nil))(t)
	check(t, "number of Metrics", len(all.Metrics), 20)
	check(t, "Granularity", *all.Granularities[0].Granularity, "1Minute")

	check(t, "error", enable("GroupMinSize", "GroupMaxSize"), nil)
	check(t, "number of metrics after enabling two", enabled(), 2)
	check(t, "error", enable(), nil)
	check(t, "number of metrics after enabling all", enabled(), 20)
	check(t, "error", disable("GroupMinSize"), nil)
	check(t, "number of metrics after disabling one", enabled(), 19)
	check(t, "error", disable(), nil)
	check(t, "number of metrics after disabling all", enabled(), 0)
	wantError(t, enable("GroupMood"), "ValidationError", "GroupMood")
}
