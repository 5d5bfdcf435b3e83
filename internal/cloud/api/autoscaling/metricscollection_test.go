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
			AutoScalingGroupName: aws.String("web"),
			Granularity:          aws.String("1Minute"),
			Metrics:              names,
		})
		return err
	}
	all, err := c.DescribeMetricCollectionTypes(ctx, nil)
	if err != nil || len(all.Metrics) != 20 || *all.Granularities[0].Granularity != "1Minute" {
		t.Errorf("%+v %v", all, err)
	}
	if err := enable("GroupMinSize", "GroupMaxSize"); err != nil || enabled() != 2 {
		t.Error(enabled(), err)
	}
	if err := enable(); err != nil || enabled() != 20 {
		t.Error(enabled(), err)
	}
	if _, err := c.DisableMetricsCollection(ctx, &autoscaling.DisableMetricsCollectionInput{
		AutoScalingGroupName: aws.String("web"), Metrics: []string{"GroupMinSize"},
	}); err != nil ||
		enabled() != 19 {
		t.Error(enabled(), err)
	}
	if _, err := c.DisableMetricsCollection(ctx, &autoscaling.DisableMetricsCollectionInput{
		AutoScalingGroupName: aws.String("web"),
	}); err != nil ||
		enabled() != 0 {
		t.Error(enabled(), err)
	}
	wantError(t, enable("GroupMood"), "ValidationError", "GroupMood")
}
