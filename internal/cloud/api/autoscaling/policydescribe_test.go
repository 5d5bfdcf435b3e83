//go:build linux

package autoscaling_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"aloft.dev/aloft/internal/cloud/alarm"
	"aloft.dev/aloft/internal/cloud/store"
)

func TestPoliciesAreDescribedWithUsersAlarms(t *testing.T) {
	c, rows := serveGroup(t)
	ctx := t.Context()
	put := must(c.PutScalingPolicy(ctx, &autoscaling.PutScalingPolicyInput{
		AutoScalingGroupName: aws.String("web"), PolicyName: aws.String("more"),
		AdjustmentType: aws.String("ChangeInCapacity"), ScalingAdjustment: aws.Int32(2), Cooldown: aws.Int32(60),
	}))(t)
	if err := rows.Update(func(tx *store.Tx) error {
		alarm.Put(tx, &store.Alarm{Region: "eu-west-1", Name: "busy", AlarmActions: []string{*put.PolicyARN}}, noon)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	policies := must(c.DescribePolicies(ctx, &autoscaling.DescribePoliciesInput{
		PolicyNames: []string{"more"},
	}))(t).ScalingPolicies
	check(t, "number of ScalingPolicies", len(policies), 1)
	check(t, "PolicyType", *policies[0].PolicyType, "SimpleScaling")
	check(t, "ScalingAdjustment", *policies[0].ScalingAdjustment, 2)
	check(t, "Cooldown", *policies[0].Cooldown, 60)
	check(t, "AlarmName", *policies[0].Alarms[0].AlarmName, "busy")
}
