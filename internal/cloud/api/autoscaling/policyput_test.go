package autoscaling_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/cloud/store"
)

func TestTargetTrackingPolicyOwnsItsAlarms(t *testing.T) {
	c, rows := serveGroup(t)
	ctx := t.Context()
	put, err := c.PutScalingPolicy(ctx, trackCPU("cpu", nil))
	if err != nil || len(put.Alarms) != 2 ||
		!strings.HasPrefix(*put.Alarms[0].AlarmName, "TargetTracking-web-AlarmHigh-") ||
		!strings.HasPrefix(*put.Alarms[1].AlarmName, "TargetTracking-web-AlarmLow-") ||
		!strings.HasSuffix(*put.PolicyARN, ":autoScalingGroupName/web:policyName/cpu") {
		t.Fatalf("%+v %v", put, err)
	}
	same, err := c.PutScalingPolicy(ctx, trackCPU("cpu", nil))
	if err != nil || *same.PolicyARN != *put.PolicyARN || *same.Alarms[0].AlarmName != *put.Alarms[0].AlarmName {
		t.Errorf("the same again changes something: %+v %v", same, err)
	}
	other, err := c.PutScalingPolicy(ctx, trackCPU("cpu", func(c *types.TargetTrackingConfiguration) {
		c.TargetValue, c.DisableScaleIn = aws.Float64(50), aws.Bool(true)
	}))
	if err != nil || *other.PolicyARN != *put.PolicyARN || len(other.Alarms) != 1 {
		t.Fatalf("%+v %v", other, err)
	}
	if alarms := store.Alarms.List(rows.View()); len(alarms) != 1 || alarms[0].Threshold != 50 {
		t.Errorf("%+v", alarms)
	}
	if _, err := c.PutScalingPolicy(ctx, trackCPU("requests", trackRequests)); err != nil {
		t.Fatal(err)
	}
	_, err = c.PutScalingPolicy(ctx, trackCPU("again", nil))
	wantError(
		t, err, "ValidationError", "Only one TargetTrackingScaling policy for a given metric specification is allowed.",
	)
	got, err := c.DescribePolicies(ctx, &autoscaling.DescribePoliciesInput{
		AutoScalingGroupName: aws.String("web"),
		PolicyTypes:          []string{"TargetTrackingScaling"},
	})
	if err != nil || len(got.ScalingPolicies) != 2 {
		t.Fatalf("%+v %v", got, err)
	}
	p := got.ScalingPolicies[1]
	if *p.PolicyName != "requests" || !*p.Enabled || p.PredictiveScalingConfiguration != nil ||
		p.StepAdjustments == nil ||
		len(p.Alarms) != 2 ||
		p.ScalingAdjustment != nil ||
		p.AdjustmentType != nil ||
		*p.TargetTrackingConfiguration.PredefinedMetricSpecification.ResourceLabel != resourceLabel ||
		*p.TargetTrackingConfiguration.DisableScaleIn {
		t.Errorf("%+v", p)
	}
	for _, name := range []*string{put.PolicyARN, aws.String("requests")} {
		if _, err := c.DeletePolicy(ctx, &autoscaling.DeletePolicyInput{
			AutoScalingGroupName: aws.String("web"), PolicyName: name,
		}); err != nil {
			t.Error(err)
		}
	}
	if left := store.Alarms.List(rows.View()); len(left) > 0 {
		t.Errorf("%+v", left)
	}
	_, err = c.DeletePolicy(
		ctx,
		&autoscaling.DeletePolicyInput{AutoScalingGroupName: aws.String("web"), PolicyName: aws.String("cpu")},
	)
	wantError(t, err, "ValidationError", "not found")
}

func TestPutPolicyRefusesInvalidRequests(t *testing.T) {
	c, _ := serveGroup(t)
	step := func(low, high *float64) types.StepAdjustment {
		return types.StepAdjustment{
			MetricIntervalLowerBound: low,
			MetricIntervalUpperBound: high,
			ScalingAdjustment:        aws.Int32(1),
		}
	}
	steps := func(all ...types.StepAdjustment) *autoscaling.PutScalingPolicyInput {
		return &autoscaling.PutScalingPolicyInput{
			AutoScalingGroupName: aws.String("web"),
			PolicyName:           aws.String("p"),
			PolicyType:           aws.String("StepScaling"),
			AdjustmentType:       aws.String("ChangeInCapacity"),
			StepAdjustments:      all,
		}
	}
	at := aws.Float64
	labelled := func(kind types.MetricType, value *string) *autoscaling.PutScalingPolicyInput {
		return trackCPU("p", func(c *types.TargetTrackingConfiguration) {
			c.PredefinedMetricSpecification = &types.PredefinedMetricSpecification{
				PredefinedMetricType: kind,
				ResourceLabel:        value,
			}
		})
	}
	for _, tc := range []struct {
		in          *autoscaling.PutScalingPolicyInput
		code, words string
	}{
		{steps(), "ValidationError", "StepAdjustments is required"},
		{steps(step(nil, nil)), "ValidationError", "at least one"},
		{steps(step(at(0), at(10)), step(at(5), nil)), "ValidationError", "overlap"},
		{steps(step(at(0), at(10)), step(at(15), nil)), "ValidationError", "gaps"},
		{steps(step(at(0), at(10))), "ValidationError", "unspecified upper bound"},
		{steps(step(at(-5), at(0))), "ValidationError", "unspecified lower bound"},
		{
			labelled("ALBRequestCountPerTarget", nil), "ValidationError",
			"Resource label should be specified for predefined metric type ALBRequestCountPerTarget",
		},
		{
			labelled("ALBRequestCountPerTarget", aws.String("app/lb/1/targetgroup/other/3")), "ValidationError",
			"Target group not attached to the Auto Scaling group",
		},
		{
			labelled("ALBRequestCountPerTarget", aws.String("app/other/1/targetgroup/tg/2")), "ValidationError",
			"not attached to the load balancer",
		},
		{labelled("ASGAverageCPUUtilization", aws.String(resourceLabel)), "ValidationError", "should not be specified"},
		{
			trackCPU("p", func(c *types.TargetTrackingConfiguration) { c.TargetValue = aws.Float64(0) }),
			"ValidationError", "TargetValue",
		},
		{trackCPU("p", func(c *types.TargetTrackingConfiguration) {
			c.PredefinedMetricSpecification = nil
			c.CustomizedMetricSpecification = &types.CustomizedMetricSpecification{
				Metrics: []types.TargetTrackingMetricDataQuery{{Id: aws.String("e"), Expression: aws.String("a/b")}},
			}
		}), "NotImplemented", "metric math"},
		{
			&autoscaling.PutScalingPolicyInput{
				AutoScalingGroupName: aws.String("web"), PolicyName: aws.String("p"),
				PolicyType: aws.String("PredictiveScaling"),
			},
			"NotImplemented", "PredictiveScaling",
		},
		{
			&autoscaling.PutScalingPolicyInput{
				AutoScalingGroupName: aws.String("web"), PolicyName: aws.String("p"),
				AdjustmentType: aws.String("Double"), ScalingAdjustment: aws.Int32(1),
			},
			"ValidationError", "Double",
		},
		{
			&autoscaling.PutScalingPolicyInput{
				AutoScalingGroupName: aws.String("web"), PolicyName: aws.String("p"),
				AdjustmentType: aws.String("ChangeInCapacity"), ScalingAdjustment: aws.Int32(1),
				MetricAggregationType: aws.String("Average"),
			},
			"ValidationError", "MetricAggregationType is not supported",
		},
		{
			&autoscaling.PutScalingPolicyInput{
				AutoScalingGroupName: aws.String("none"), PolicyName: aws.String("p"),
				AdjustmentType: aws.String("ChangeInCapacity"), ScalingAdjustment: aws.Int32(1),
			},
			"ValidationError", "not found",
		},
	} {
		_, err := c.PutScalingPolicy(t.Context(), tc.in)
		wantError(t, err, tc.code, tc.words)
	}
}
