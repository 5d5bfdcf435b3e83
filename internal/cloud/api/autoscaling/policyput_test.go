//go:build linux

package autoscaling_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/cloud/alarm"
	"aloft.dev/aloft/internal/cloud/metric"
	"aloft.dev/aloft/internal/cloud/store"
)

func TestTargetTrackingPolicyOwnsItsAlarms(t *testing.T) {
	c, rows := serveGroup(t)
	ctx := t.Context()
	first := must(c.PutScalingPolicy(ctx, trackCPU("cpu", nil)))(t)
	check(t, "number of Alarms", len(first.Alarms), 2)
	if !strings.HasPrefix(*first.Alarms[0].AlarmName, "TargetTracking-web-AlarmHigh-") ||
		!strings.HasPrefix(*first.Alarms[1].AlarmName, "TargetTracking-web-AlarmLow-") {
		t.Errorf("alarms %s and %s", *first.Alarms[0].AlarmName, *first.Alarms[1].AlarmName)
	}
	if !strings.HasSuffix(*first.PolicyARN, ":autoScalingGroupName/web:policyName/cpu") {
		t.Errorf("PolicyARN is %s", *first.PolicyARN)
	}

	same := must(c.PutScalingPolicy(ctx, trackCPU("cpu", nil)))(t)
	check(t, "PolicyARN of the same policy", *same.PolicyARN, *first.PolicyARN)
	check(t, "AlarmName of the same policy", *same.Alarms[0].AlarmName, *first.Alarms[0].AlarmName)

	changed := must(c.PutScalingPolicy(ctx, trackCPU("cpu", func(c *types.TargetTrackingConfiguration) {
		c.TargetValue, c.DisableScaleIn = aws.Float64(50), aws.Bool(true)
	})))(t)
	check(t, "PolicyARN of the changed policy", *changed.PolicyARN, *first.PolicyARN)
	check(t, "number of Alarms without scale-in", len(changed.Alarms), 1)
	alarms := store.Alarms.List(rows.View())
	check(t, "number of stored alarms", len(alarms), 1)
	check(t, "Threshold", alarms[0].Threshold, 50)

	must(c.DeletePolicy(ctx, &autoscaling.DeletePolicyInput{
		AutoScalingGroupName: aws.String("web"), PolicyName: first.PolicyARN,
	}))(t)
	check(t, "number of alarms after deletion", len(store.Alarms.List(rows.View())), 0)
	_, err := c.DeletePolicy(ctx, &autoscaling.DeletePolicyInput{
		AutoScalingGroupName: aws.String("web"), PolicyName: aws.String("cpu"),
	})
	wantError(t, err, "ValidationError", "not found")
}

func TestAGroupTracksAMetricWithOnePolicy(t *testing.T) {
	c, rows := serveGroup(t)
	ctx := t.Context()
	must(c.PutScalingPolicy(ctx, trackCPU("cpu", nil)))(t)
	must(c.PutScalingPolicy(ctx, trackCPU("requests", trackRequests)))(t)
	_, err := c.PutScalingPolicy(ctx, trackCPU("again", nil))
	wantError(t, err, "ValidationError",
		"Only one TargetTrackingScaling policy for a given metric specification is allowed.")

	policies := must(c.DescribePolicies(ctx, &autoscaling.DescribePoliciesInput{
		AutoScalingGroupName: aws.String("web"), PolicyTypes: []string{"TargetTrackingScaling"},
	}))(t).ScalingPolicies
	check(t, "number of ScalingPolicies", len(policies), 2)
	p := policies[1]
	check(t, "PolicyName", *p.PolicyName, "requests")
	check(t, "Enabled", *p.Enabled, true)
	check(t, "number of Alarms", len(p.Alarms), 2)
	check(t, "StepAdjustments", p.StepAdjustments, []types.StepAdjustment{})
	check(t, "ScalingAdjustment", p.ScalingAdjustment, nil)
	check(t, "AdjustmentType", p.AdjustmentType, nil)
	check(t, "PredictiveScalingConfiguration", p.PredictiveScalingConfiguration, nil)
	tracking := p.TargetTrackingConfiguration
	check(t, "ResourceLabel", *tracking.PredefinedMetricSpecification.ResourceLabel, resourceLabel)
	check(t, "DisableScaleIn", *tracking.DisableScaleIn, false)

	must(c.DeletePolicy(ctx, &autoscaling.DeletePolicyInput{
		AutoScalingGroupName: aws.String("web"), PolicyName: aws.String("requests"),
	}))(t)
	check(t, "number of alarms after deletion", len(store.Alarms.List(rows.View())), 2)
}

func TestPutPolicyRefusesInvalidSteps(t *testing.T) {
	c, _ := serveGroup(t)
	at := aws.Float64
	step := func(lower, upper *float64) types.StepAdjustment {
		return types.StepAdjustment{
			MetricIntervalLowerBound: lower, MetricIntervalUpperBound: upper, ScalingAdjustment: aws.Int32(1),
		}
	}
	for text, steps := range map[string][]types.StepAdjustment{
		"StepAdjustments is required": nil,
		"at least one":                {step(nil, nil)},
		"overlap":                     {step(at(0), at(10)), step(at(5), nil)},
		"gaps":                        {step(at(0), at(10)), step(at(15), nil)},
		"unspecified upper bound":     {step(at(0), at(10))},
		"unspecified lower bound":     {step(at(-5), at(0))},
	} {
		_, err := c.PutScalingPolicy(t.Context(), &autoscaling.PutScalingPolicyInput{
			AutoScalingGroupName: aws.String("web"), PolicyName: aws.String("p"), PolicyType: aws.String("StepScaling"),
			AdjustmentType: aws.String("ChangeInCapacity"), StepAdjustments: steps,
		})
		wantError(t, err, "ValidationError", text)
	}
}

func TestPutPolicyRefusesInvalidTargetTracking(t *testing.T) {
	c, _ := serveGroup(t)
	predefined := func(kind types.MetricType, label *string) func(*types.TargetTrackingConfiguration) {
		return func(c *types.TargetTrackingConfiguration) {
			c.PredefinedMetricSpecification = &types.PredefinedMetricSpecification{
				PredefinedMetricType: kind, ResourceLabel: label,
			}
		}
	}
	for _, tc := range []struct {
		change     func(*types.TargetTrackingConfiguration)
		code, text string
	}{
		{
			predefined("ALBRequestCountPerTarget", nil), "ValidationError",
			"Resource label should be specified for predefined metric type ALBRequestCountPerTarget",
		},
		{
			predefined("ALBRequestCountPerTarget", aws.String("app/lb/1/targetgroup/other/3")), "ValidationError",
			"Target group not attached to the Auto Scaling group",
		},
		{
			predefined("ALBRequestCountPerTarget", aws.String("app/other/1/targetgroup/tg/2")), "ValidationError",
			"not attached to the load balancer",
		},
		{
			predefined("ASGAverageCPUUtilization", aws.String(resourceLabel)), "ValidationError",
			"should not be specified",
		},
		{
			func(c *types.TargetTrackingConfiguration) { c.TargetValue = aws.Float64(0) }, "ValidationError",
			"TargetValue",
		},
		{
			func(c *types.TargetTrackingConfiguration) {
				c.PredefinedMetricSpecification = nil
				c.CustomizedMetricSpecification = &types.CustomizedMetricSpecification{
					Metrics: []types.TargetTrackingMetricDataQuery{
						{Id: aws.String("e"), Expression: aws.String("a/b")},
					},
				}
			}, "ValidationError", "Error in expression 'e'",
		},
		{trackMath("SEARCH('{n} m', 'Sum', 60)"), "NotImplemented", "SEARCH"},
		{trackMath("METRICS()"), "ValidationError", "a single time series"},
		{trackMath("TIME_SERIES(1)"), "ValidationError", "must include at least one metric"},
	} {
		_, err := c.PutScalingPolicy(t.Context(), trackCPU("p", tc.change))
		wantError(t, err, tc.code, tc.text)
	}
}

// trackMath makes a policy track an expression over the metric m.
func trackMath(expression string) func(*types.TargetTrackingConfiguration) {
	return func(c *types.TargetTrackingConfiguration) {
		c.PredefinedMetricSpecification = nil
		c.CustomizedMetricSpecification = &types.CustomizedMetricSpecification{
			Metrics: []types.TargetTrackingMetricDataQuery{
				{
					Id: aws.String("m"), ReturnData: aws.Bool(false),
					MetricStat: &types.TargetTrackingMetricStat{
						Metric: &types.Metric{Namespace: aws.String("n"), MetricName: aws.String("queue")},
						Stat:   aws.String("Sum"),
					},
				},
				{Id: aws.String("e"), Expression: &expression},
			},
		}
	}
}

func TestPolicyTracksAnExpression(t *testing.T) {
	c, rows := serveGroup(t)
	must(c.PutScalingPolicy(t.Context(), trackCPU("math", trackMath("m/2"))))(t)
	metrics := &metric.Store{}
	now := time.Now()
	alarms := store.Alarms.List(rows.View())
	check(t, "number of alarms", len(alarms), 2)
	metrics.Add(alarms[0].Region, metric.NewID("n", "queue"), now.Add(-2*time.Minute), "", metric.SummaryOf(120, 1))
	check(t, "what the alarm watches", alarm.RecentValues(alarms[0], metrics, now), []float64{60})
	_, err := c.PutScalingPolicy(t.Context(), trackCPU("again", trackMath("m/2")))
	wantError(t, err, "ValidationError", "Only one TargetTrackingScaling policy")
	must(c.PutScalingPolicy(t.Context(), trackCPU("other", trackMath("m/3"))))(t)
}

func TestPutPolicyTakesACooldownOfZeroForAllTypes(t *testing.T) {
	c, _ := serveGroup(t)
	policy := func(cooldown int32) *autoscaling.PutScalingPolicyInput {
		in := trackCPU("p", func(*types.TargetTrackingConfiguration) {})
		in.Cooldown = &cooldown
		return in
	}
	must(c.PutScalingPolicy(t.Context(), policy(0)))(t)
	_, err := c.PutScalingPolicy(t.Context(), policy(60))
	wantError(t, err, "ValidationError", "Cooldown is not supported")
}

func TestPutPolicyRefusesInvalidParameters(t *testing.T) {
	c, _ := serveGroup(t)
	one := aws.Int32(1)
	for _, tc := range []struct {
		in         autoscaling.PutScalingPolicyInput
		code, text string
	}{
		{
			autoscaling.PutScalingPolicyInput{PolicyType: aws.String("PredictiveScaling")},
			"NotImplemented", "PredictiveScaling",
		},
		{
			autoscaling.PutScalingPolicyInput{AdjustmentType: aws.String("Double"), ScalingAdjustment: one},
			"ValidationError", "Double",
		},
		{
			autoscaling.PutScalingPolicyInput{
				AdjustmentType: aws.String("ChangeInCapacity"), ScalingAdjustment: one,
				MetricAggregationType: aws.String("Average"),
			},
			"ValidationError", "MetricAggregationType is not supported",
		},
		{
			autoscaling.PutScalingPolicyInput{
				AutoScalingGroupName: aws.String("none"),
				AdjustmentType:       aws.String("ChangeInCapacity"), ScalingAdjustment: one,
			},
			"ValidationError", "not found",
		},
	} {
		if tc.in.AutoScalingGroupName == nil {
			tc.in.AutoScalingGroupName = aws.String("web")
		}
		tc.in.PolicyName = aws.String("p")
		_, err := c.PutScalingPolicy(t.Context(), &tc.in)
		wantError(t, err, tc.code, tc.text)
	}
}
