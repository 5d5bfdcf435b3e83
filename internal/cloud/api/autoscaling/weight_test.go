//go:build linux

package autoscaling_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
)

// weighing returns a change that gives instances of t3.micro a weight.
func weighing(weight string) func(*createInput) {
	return mixedPolicy(nil, types.LaunchTemplateOverrides{
		InstanceType: new("t3.micro"), WeightedCapacity: &weight,
	})
}

func TestInstancesHaveTheWeightOfTheirType(t *testing.T) {
	withLoop(t, func(w *world) {
		ids := w.createGroup(weighing("2"))
		check(t, "number of instances for three units", len(ids), 2)
		g := w.describeGroup()
		check(t, "WeightedCapacity of the override",
			*g.MixedInstancesPolicy.LaunchTemplate.Overrides[0].WeightedCapacity, "2")
		check(t, "WeightedCapacity", *g.Instances[0].WeightedCapacity, "2")
		details := must(w.DescribeAutoScalingInstances(w.ctx, &autoscaling.DescribeAutoScalingInstancesInput{
			InstanceIds: ids[:1],
		}))(t).AutoScalingInstances
		check(t, "WeightedCapacity of the details", *details[0].WeightedCapacity, "2")

		var changed createInput
		changed.LaunchTemplate = w.groupOfThree().LaunchTemplate
		weighing("3")(&changed)
		must(w.UpdateAutoScalingGroup(w.ctx, &autoscaling.UpdateAutoScalingGroupInput{
			AutoScalingGroupName: new("g"), MixedInstancesPolicy: changed.MixedInstancesPolicy,
		}))(t)
		w.waitForLoop()
		g = w.describeGroup()
		check(t, "number of instances of weight 3", len(g.Instances), 1)
		check(t, "WeightedCapacity after the update", *g.Instances[0].WeightedCapacity, "3")

		must(w.UpdateAutoScalingGroup(w.ctx, &autoscaling.UpdateAutoScalingGroupInput{
			AutoScalingGroupName: new("g"), LaunchTemplate: w.groupOfThree().LaunchTemplate,
		}))(t)
		w.waitForLoop()
		g = w.describeGroup()
		check(t, "number of instances without weights", len(g.Instances), 3)
		check(t, "WeightedCapacity without weights", g.Instances[0].WeightedCapacity, nil)
	})
}

func TestUsersMoveInstancesByTheirWeight(t *testing.T) {
	withLoop(t, func(w *world) {
		ids := w.createGroup(weighing("2"))
		w.suspend("AZRebalance")
		checkActivity(
			t, must(w.detach(true, ids[0]))(t).Activities[0], "InProgress", "Detaching EC2 instance: "+ids[0],
			"instance "+ids[0]+" was detached in response to a user request, shrinking the capacity from 3 to 1.",
		)
		w.waitForLoop()
		_, err := w.detach(true, ids[1])
		wantError(t, err, "ValidationError", "AutoScalingGroup g has min-size=1, max-size=6, and desired-size=1. "+
			"To detach 1 instance, please update the AutoScalingGroup sizes appropriately.")
		must(w.AttachInstances(w.ctx, &autoscaling.AttachInstancesInput{
			AutoScalingGroupName: new("g"), InstanceIds: ids[:1],
		}))(t)
		w.waitForLoop()
		check(t, "DesiredCapacity with the attached instance", *w.describeGroup().DesiredCapacity, 3)
		enter := &autoscaling.EnterStandbyInput{
			AutoScalingGroupName: new("g"), InstanceIds: ids[:1], ShouldDecrementDesiredCapacity: aws.Bool(true),
		}
		must(w.EnterStandby(w.ctx, enter))(t)
		w.waitForLoop()
		check(t, "DesiredCapacity with one in standby", *w.describeGroup().DesiredCapacity, 1)
		must(w.ExitStandby(w.ctx, &autoscaling.ExitStandbyInput{
			AutoScalingGroupName: new("g"), InstanceIds: ids[:1],
		}))(t)
		w.waitForLoop()
		check(t, "DesiredCapacity with none in standby", *w.describeGroup().DesiredCapacity, 3)
		must(w.TerminateInstanceInAutoScalingGroup(w.ctx, &autoscaling.TerminateInstanceInAutoScalingGroupInput{
			InstanceId: &ids[0], ShouldDecrementDesiredCapacity: aws.Bool(true),
		}))(t)
		_, err = w.TerminateInstanceInAutoScalingGroup(w.ctx, &autoscaling.TerminateInstanceInAutoScalingGroupInput{
			InstanceId: &ids[1], ShouldDecrementDesiredCapacity: aws.Bool(true),
		})
		wantError(t, err, "ValidationError", "will violate group's min size constraint")
	})
}
