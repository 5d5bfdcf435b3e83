package autoscaling_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/smithy-go"

	"aloft.dev/aloft/internal/cloud/alarm"
	"aloft.dev/aloft/internal/cloud/api/autoscaling"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
	"aloft.dev/aloft/internal/cloud/wire/wiretest"
)

const (
	targetsARN = "arn:aws:elasticloadbalancing:eu-west-1:000000000000:targetgroup/tg/2"
	balancer   = "arn:aws:elasticloadbalancing:eu-west-1:000000000000:loadbalancer/app/lb/1"
	label      = "app/lb/1/targetgroup/tg/2"
)

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// scaled serves a group web of 1 to 9 that wants 3, behind a load balancer, at noon.
func scaled(t *testing.T) (*client.Client, *store.Store) {
	t.Helper()
	rows, err := store.Open("")
	if err != nil {
		t.Fatal(err)
	}
	err = rows.Update(func(tx *store.Tx) error {
		store.ScalingGroups.Put(tx, &store.ScalingGroup{
			Region:          "eu-west-1",
			Name:            "web",
			Min:             1,
			Max:             9,
			Desired:         3,
			DefaultCooldown: 300,
			TargetGroupARNs: []string{targetsARN},
		})
		store.Listeners.Put(tx, &store.Listener{
			ARN:             "l",
			Region:          "eu-west-1",
			LoadBalancerARN: balancer,
			Actions: []store.Action{
				{Type: "forward", Forward: []store.WeightedTargetGroup{{ARN: targetsARN}}},
			},
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return client.NewFromConfig(wiretest.Serve(t, "eu-west-1", wire.Service{
		Name: "autoscaling",
		API:  autoscaling.New(autoscaling.Config{Store: rows, Now: func() time.Time { return noon }}),
	})), rows
}

func refused(t *testing.T, err error, code, words string) {
	t.Helper()
	refusal, ok := errors.AsType[smithy.APIError](err)
	if !ok || refusal.ErrorCode() != code || !strings.Contains(refusal.ErrorMessage(), words) {
		t.Errorf("got %v, want %s with %q", err, code, words)
	}
}

// tracking is a target tracking policy, with what else a test wants of it.
func tracking(name string, change func(c *types.TargetTrackingConfiguration)) *client.PutScalingPolicyInput {
	c := &types.TargetTrackingConfiguration{
		TargetValue: aws.Float64(60),
		PredefinedMetricSpecification: &types.PredefinedMetricSpecification{
			PredefinedMetricType: "ASGAverageCPUUtilization",
		},
	}
	if change != nil {
		change(c)
	}
	return &client.PutScalingPolicyInput{
		AutoScalingGroupName:        aws.String("web"),
		PolicyName:                  &name,
		PolicyType:                  aws.String("TargetTrackingScaling"),
		TargetTrackingConfiguration: c,
	}
}

func requests(c *types.TargetTrackingConfiguration) {
	c.TargetValue = aws.Float64(1000)
	c.PredefinedMetricSpecification = &types.PredefinedMetricSpecification{
		PredefinedMetricType: "ALBRequestCountPerTarget",
		ResourceLabel:        aws.String(label),
	}
}

func TestATargetTrackingPolicyAndItsAlarmsComeAndGoTogether(t *testing.T) {
	c, rows := scaled(t)
	ctx := t.Context()
	put, err := c.PutScalingPolicy(ctx, tracking("cpu", nil))
	if err != nil || len(put.Alarms) != 2 ||
		!strings.HasPrefix(*put.Alarms[0].AlarmName, "TargetTracking-web-AlarmHigh-") ||
		!strings.HasPrefix(*put.Alarms[1].AlarmName, "TargetTracking-web-AlarmLow-") ||
		!strings.HasSuffix(*put.PolicyARN, ":autoScalingGroupName/web:policyName/cpu") {
		t.Fatalf("%+v %v", put, err)
	}
	same, err := c.PutScalingPolicy(ctx, tracking("cpu", nil))
	if err != nil || *same.PolicyARN != *put.PolicyARN || *same.Alarms[0].AlarmName != *put.Alarms[0].AlarmName {
		t.Errorf("the same again changes something: %+v %v", same, err)
	}
	other, err := c.PutScalingPolicy(ctx, tracking("cpu", func(c *types.TargetTrackingConfiguration) {
		c.TargetValue, c.DisableScaleIn = aws.Float64(50), aws.Bool(true)
	}))
	if err != nil || *other.PolicyARN != *put.PolicyARN || len(other.Alarms) != 1 {
		t.Fatalf("%+v %v", other, err)
	}
	if alarms := store.Alarms.List(rows.View()); len(alarms) != 1 || alarms[0].Threshold != 50 {
		t.Errorf("%+v", alarms)
	}
	if _, err := c.PutScalingPolicy(ctx, tracking("requests", requests)); err != nil {
		t.Fatal(err)
	}
	_, err = c.PutScalingPolicy(ctx, tracking("again", nil))
	refused(
		t, err, "ValidationError", "Only one TargetTrackingScaling policy for a given metric specification is allowed.",
	)
	got, err := c.DescribePolicies(ctx, &client.DescribePoliciesInput{
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
		*p.TargetTrackingConfiguration.PredefinedMetricSpecification.ResourceLabel != label ||
		*p.TargetTrackingConfiguration.DisableScaleIn {
		t.Errorf("%+v", p)
	}
	for _, name := range []*string{put.PolicyARN, aws.String("requests")} {
		if _, err := c.DeletePolicy(ctx, &client.DeletePolicyInput{
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
		&client.DeletePolicyInput{AutoScalingGroupName: aws.String("web"), PolicyName: aws.String("cpu")},
	)
	refused(t, err, "ValidationError", "not found")
}

func TestAWrongPolicyIsRefused(t *testing.T) {
	c, _ := scaled(t)
	step := func(low, high *float64) types.StepAdjustment {
		return types.StepAdjustment{
			MetricIntervalLowerBound: low,
			MetricIntervalUpperBound: high,
			ScalingAdjustment:        aws.Int32(1),
		}
	}
	steps := func(all ...types.StepAdjustment) *client.PutScalingPolicyInput {
		return &client.PutScalingPolicyInput{
			AutoScalingGroupName: aws.String("web"),
			PolicyName:           aws.String("p"),
			PolicyType:           aws.String("StepScaling"),
			AdjustmentType:       aws.String("ChangeInCapacity"),
			StepAdjustments:      all,
		}
	}
	at := aws.Float64
	labelled := func(kind types.MetricType, value *string) *client.PutScalingPolicyInput {
		return tracking("p", func(c *types.TargetTrackingConfiguration) {
			c.PredefinedMetricSpecification = &types.PredefinedMetricSpecification{
				PredefinedMetricType: kind,
				ResourceLabel:        value,
			}
		})
	}
	for _, tc := range []struct {
		in          *client.PutScalingPolicyInput
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
		{labelled("ASGAverageCPUUtilization", aws.String(label)), "ValidationError", "should not be specified"},
		{
			tracking("p", func(c *types.TargetTrackingConfiguration) { c.TargetValue = aws.Float64(0) }),
			"ValidationError", "TargetValue",
		},
		{tracking("p", func(c *types.TargetTrackingConfiguration) {
			c.PredefinedMetricSpecification = nil
			c.CustomizedMetricSpecification = &types.CustomizedMetricSpecification{
				Metrics: []types.TargetTrackingMetricDataQuery{{Id: aws.String("e"), Expression: aws.String("a/b")}},
			}
		}), "NotImplemented", "metric math"},
		{
			&client.PutScalingPolicyInput{
				AutoScalingGroupName: aws.String("web"), PolicyName: aws.String("p"),
				PolicyType: aws.String("PredictiveScaling"),
			},
			"NotImplemented", "PredictiveScaling",
		},
		{
			&client.PutScalingPolicyInput{
				AutoScalingGroupName: aws.String("web"), PolicyName: aws.String("p"),
				AdjustmentType: aws.String("Double"), ScalingAdjustment: aws.Int32(1),
			},
			"ValidationError", "Double",
		},
		{
			&client.PutScalingPolicyInput{
				AutoScalingGroupName: aws.String("web"), PolicyName: aws.String("p"),
				AdjustmentType: aws.String("ChangeInCapacity"), ScalingAdjustment: aws.Int32(1),
				MetricAggregationType: aws.String("Average"),
			},
			"ValidationError", "MetricAggregationType is not supported",
		},
		{
			&client.PutScalingPolicyInput{
				AutoScalingGroupName: aws.String("none"), PolicyName: aws.String("p"),
				AdjustmentType: aws.String("ChangeInCapacity"), ScalingAdjustment: aws.Int32(1),
			},
			"ValidationError", "not found",
		},
	} {
		_, err := c.PutScalingPolicy(t.Context(), tc.in)
		refused(t, err, tc.code, tc.words)
	}
}

func TestAPolicyIsExecutedByHand(t *testing.T) {
	c, rows := scaled(t)
	ctx := t.Context()
	put, err := c.PutScalingPolicy(ctx, &client.PutScalingPolicyInput{
		AutoScalingGroupName: aws.String("web"),
		PolicyName:           aws.String("more"),
		AdjustmentType:       aws.String("ChangeInCapacity"),
		ScalingAdjustment:    aws.Int32(2),
		Cooldown:             aws.Int32(60),
	})
	if err != nil {
		t.Fatal(err)
	}
	err = rows.Update(func(tx *store.Tx) error {
		alarm.Put(tx, &store.Alarm{Region: "eu-west-1", Name: "busy", AlarmActions: []string{*put.PolicyARN}}, noon)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.DescribePolicies(ctx, &client.DescribePoliciesInput{PolicyNames: []string{"more"}})
	if err != nil || len(got.ScalingPolicies) != 1 || *got.ScalingPolicies[0].PolicyType != "SimpleScaling" ||
		*got.ScalingPolicies[0].ScalingAdjustment != 2 ||
		*got.ScalingPolicies[0].Cooldown != 60 ||
		*got.ScalingPolicies[0].Alarms[0].AlarmName != "busy" {
		t.Errorf("%+v %v", got, err)
	}
	execute := func(in client.ExecutePolicyInput) error {
		in.AutoScalingGroupName = aws.String("web")
		_, err := c.ExecutePolicy(ctx, &in)
		return err
	}
	if err := execute(client.ExecutePolicyInput{
		PolicyName: aws.String("more"), HonorCooldown: aws.Bool(true),
	}); err != nil {
		t.Error(err)
	}
	g, _ := store.ScalingGroups.Get(rows.View(), "eu-west-1/web")
	if want := "At 2026-11-25T12:00:00Z a user request executed policy more changing the desired capacity from 3 to 5."; g.Desired != 5 ||
		len(g.Causes) != 1 ||
		g.Causes[0] != want {
		t.Errorf("%d %q", g.Desired, g.Causes)
	}
	err = rows.Update(func(tx *store.Tx) error {
		store.ScalingGroups.Edit(
			tx, g.Key(), func(row *store.ScalingGroup) { row.LastScaling = noon.Add(-time.Minute + 1) },
		)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	refused(
		t,
		execute(client.ExecutePolicyInput{PolicyName: aws.String("more"), HonorCooldown: aws.Bool(true)}),
		"ScalingActivityInProgress",
		"cooldown",
	)
	refused(
		t,
		execute(client.ExecutePolicyInput{PolicyName: aws.String("more"), MetricValue: aws.Float64(1)}),
		"ValidationError",
		"MetricValue",
	)
	if err := execute(client.ExecutePolicyInput{PolicyName: put.PolicyARN}); err != nil {
		t.Error(err)
	}
	if g, _ := store.ScalingGroups.Get(rows.View(), "eu-west-1/web"); g.Desired != 7 {
		t.Error(g.Desired)
	}
}

func TestScheduledActionsArePutAndToldWithTheirNextTime(t *testing.T) {
	c, _ := scaled(t)
	ctx := t.Context()
	_, err := c.PutScheduledUpdateGroupAction(ctx, &client.PutScheduledUpdateGroupActionInput{
		AutoScalingGroupName: aws.String("web"),
		ScheduledActionName:  aws.String("morning"),
		Recurrence:           aws.String("0 9 * * MON-FRI"),
		TimeZone:             aws.String("America/New_York"),
		MinSize:              aws.Int32(3),
		DesiredCapacity:      aws.Int32(4),
	})
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.BatchPutScheduledUpdateGroupAction(ctx, &client.BatchPutScheduledUpdateGroupActionInput{
		AutoScalingGroupName: aws.String("web"),
		ScheduledUpdateGroupActions: []types.ScheduledUpdateGroupActionRequest{
			{
				ScheduledActionName: aws.String("once"),
				StartTime:           aws.Time(noon.Add(time.Hour)),
				MaxSize:             aws.Int32(5),
			},
			{
				ScheduledActionName: aws.String("late"),
				StartTime:           aws.Time(noon.Add(-time.Hour)),
				MaxSize:             aws.Int32(5),
			},
			{
				ScheduledActionName: aws.String("twice"),
				StartTime:           aws.Time(noon.Add(time.Hour)),
				MaxSize:             aws.Int32(6),
			},
		},
	})
	if err != nil || len(out.FailedScheduledUpdateGroupActions) != 2 ||
		*out.FailedScheduledUpdateGroupActions[0].ScheduledActionName != "late" ||
		*out.FailedScheduledUpdateGroupActions[1].ErrorCode != "AlreadyExists" {
		t.Fatalf("%+v %v", out, err)
	}
	got, err := c.DescribeScheduledActions(
		ctx,
		&client.DescribeScheduledActionsInput{AutoScalingGroupName: aws.String("web")},
	)
	if err != nil || len(got.ScheduledUpdateGroupActions) != 2 {
		t.Fatalf("%+v %v", got, err)
	}
	m := got.ScheduledUpdateGroupActions[0]
	if *m.ScheduledActionName != "morning" || !m.StartTime.Equal(noon.Add(2*time.Hour)) ||
		*m.TimeZone != "America/New_York" ||
		*m.MinSize != 3 ||
		m.MaxSize != nil ||
		*m.DesiredCapacity != 4 ||
		!strings.HasSuffix(*m.ScheduledActionARN, ":autoScalingGroupName/web:scheduledActionName/morning") {
		t.Errorf("%+v", m)
	}
	soon, err := c.DescribeScheduledActions(
		ctx,
		&client.DescribeScheduledActionsInput{EndTime: aws.Time(noon.Add(90 * time.Minute))},
	)
	if err != nil || len(soon.ScheduledUpdateGroupActions) != 1 {
		t.Errorf("%+v %v", soon, err)
	}
	for _, tc := range []struct {
		words string
		in    client.PutScheduledUpdateGroupActionInput
	}{
		{"At least one of", client.PutScheduledUpdateGroupActionInput{StartTime: aws.Time(noon.Add(time.Hour))}},
		{
			"recurrence string: 0 9 * * is invalid",
			client.PutScheduledUpdateGroupActionInput{Recurrence: aws.String("0 9 * *"), MinSize: aws.Int32(1)},
		},
		{
			"time zone: Mars/North",
			client.PutScheduledUpdateGroupActionInput{
				Recurrence: aws.String("0 9 * * *"), TimeZone: aws.String("Mars/North"), MinSize: aws.Int32(1),
			},
		},
		{"StartTime and Recurrence", client.PutScheduledUpdateGroupActionInput{MinSize: aws.Int32(1)}},
		{
			"min bound",
			client.PutScheduledUpdateGroupActionInput{
				Recurrence: aws.String("0 9 * * *"), MinSize: aws.Int32(3), MaxSize: aws.Int32(2),
			},
		},
		{
			"never run",
			client.PutScheduledUpdateGroupActionInput{Recurrence: aws.String("0 9 31 2 *"), MinSize: aws.Int32(1)},
		},
	} {
		tc.in.AutoScalingGroupName, tc.in.ScheduledActionName = aws.String("web"), aws.String("wrong")
		_, err := c.PutScheduledUpdateGroupAction(ctx, &tc.in)
		refused(t, err, "ValidationError", tc.words)
	}
	if _, err := c.DeleteScheduledAction(ctx, &client.DeleteScheduledActionInput{
		AutoScalingGroupName: aws.String("web"), ScheduledActionName: aws.String("once"),
	}); err != nil {
		t.Error(err)
	}
	gone, err := c.BatchDeleteScheduledAction(ctx, &client.BatchDeleteScheduledActionInput{
		AutoScalingGroupName: aws.String("web"),
		ScheduledActionNames: []string{"morning", "once"},
	})
	if err != nil || len(gone.FailedScheduledActions) != 1 ||
		!strings.Contains(*gone.FailedScheduledActions[0].ErrorMessage, "not found") {
		t.Errorf("%+v %v", gone, err)
	}
}

func TestGroupMetricsAreCollectedAsAsked(t *testing.T) {
	c, rows := scaled(t)
	ctx := t.Context()
	enabled := func() int {
		g, _ := store.ScalingGroups.Get(rows.View(), "eu-west-1/web")
		return len(g.Metrics)
	}
	enable := func(names ...string) error {
		_, err := c.EnableMetricsCollection(ctx, &client.EnableMetricsCollectionInput{
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
	if _, err := c.DisableMetricsCollection(ctx, &client.DisableMetricsCollectionInput{
		AutoScalingGroupName: aws.String("web"), Metrics: []string{"GroupMinSize"},
	}); err != nil ||
		enabled() != 19 {
		t.Error(enabled(), err)
	}
	if _, err := c.DisableMetricsCollection(ctx, &client.DisableMetricsCollectionInput{
		AutoScalingGroupName: aws.String("web"),
	}); err != nil ||
		enabled() != 0 {
		t.Error(enabled(), err)
	}
	refused(t, enable("GroupMood"), "ValidationError", "GroupMood")
}
