//go:build linux

package autoscaling_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"aloft.dev/aloft/internal/cloud/store"
)

func TestExecutePolicy(t *testing.T) {
	c, rows := serveGroup(t)
	ctx := t.Context()
	put := must(c.PutScalingPolicy(ctx, &autoscaling.PutScalingPolicyInput{
		AutoScalingGroupName: aws.String("web"), PolicyName: aws.String("more"),
		AdjustmentType: aws.String("ChangeInCapacity"), ScalingAdjustment: aws.Int32(2), Cooldown: aws.Int32(60),
	}))(t)
	group := func() *store.ScalingGroup {
		g, _ := store.ScalingGroups.Get(rows.View(), "eu-west-1/web")
		return g
	}
	execute := func(in autoscaling.ExecutePolicyInput) error {
		in.AutoScalingGroupName = aws.String("web")
		if in.PolicyName == nil {
			in.PolicyName = aws.String("more")
		}
		_, err := c.ExecutePolicy(ctx, &in)
		return err
	}
	check(t, "error", execute(autoscaling.ExecutePolicyInput{HonorCooldown: aws.Bool(true)}), nil)
	check(t, "desired capacity", group().Desired, 5)
	check(t, "causes", group().CapacityCauses, []string{
		"At 2026-11-25T12:00:00Z a user request executed policy more changing the desired capacity from 3 to 5.",
	})

	if err := rows.Update(func(tx *store.Tx) error {
		store.ScalingGroups.Edit(tx, group().Key(), func(g *store.ScalingGroup) {
			g.LastScaling = noon.Add(-time.Minute + 1)
		})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	wantError(t, execute(autoscaling.ExecutePolicyInput{HonorCooldown: aws.Bool(true)}),
		"ScalingActivityInProgress", "cooldown")
	wantError(t, execute(autoscaling.ExecutePolicyInput{MetricValue: aws.Float64(1)}),
		"ValidationError", "MetricValue")
	check(t, "error", execute(autoscaling.ExecutePolicyInput{PolicyName: put.PolicyARN}), nil)
	check(t, "desired capacity", group().Desired, 7)
}
