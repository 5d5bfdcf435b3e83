package autoscaling_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"aloft.dev/aloft/internal/cloud/alarm"
	"aloft.dev/aloft/internal/cloud/store"
)

func TestExecutePolicy(t *testing.T) {
	c, rows := serveGroup(t)
	ctx := t.Context()
	put, err := c.PutScalingPolicy(ctx, &autoscaling.PutScalingPolicyInput{
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
	got, err := c.DescribePolicies(ctx, &autoscaling.DescribePoliciesInput{PolicyNames: []string{"more"}})
	if err != nil || len(got.ScalingPolicies) != 1 || *got.ScalingPolicies[0].PolicyType != "SimpleScaling" ||
		*got.ScalingPolicies[0].ScalingAdjustment != 2 ||
		*got.ScalingPolicies[0].Cooldown != 60 ||
		*got.ScalingPolicies[0].Alarms[0].AlarmName != "busy" {
		t.Errorf("%+v %v", got, err)
	}
	execute := func(in autoscaling.ExecutePolicyInput) error {
		in.AutoScalingGroupName = aws.String("web")
		_, err := c.ExecutePolicy(ctx, &in)
		return err
	}
	if err := execute(autoscaling.ExecutePolicyInput{
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
	wantError(
		t,
		execute(autoscaling.ExecutePolicyInput{PolicyName: aws.String("more"), HonorCooldown: aws.Bool(true)}),
		"ScalingActivityInProgress",
		"cooldown",
	)
	wantError(
		t,
		execute(autoscaling.ExecutePolicyInput{PolicyName: aws.String("more"), MetricValue: aws.Float64(1)}),
		"ValidationError",
		"MetricValue",
	)
	if err := execute(autoscaling.ExecutePolicyInput{PolicyName: put.PolicyARN}); err != nil {
		t.Error(err)
	}
	if g, _ := store.ScalingGroups.Get(rows.View(), "eu-west-1/web"); g.Desired != 7 {
		t.Error(g.Desired)
	}
}
