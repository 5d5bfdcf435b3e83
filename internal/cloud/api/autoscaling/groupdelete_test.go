package autoscaling_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
)

func TestDeleteGroupRequiresAnEmptyGroupOrForce(t *testing.T) {
	withLoop(t, func(w *world) {
		w.createGroup(nil)
		remove := func(force bool) error {
			_, err := w.DeleteAutoScalingGroup(w.ctx, &autoscaling.DeleteAutoScalingGroupInput{
				AutoScalingGroupName: new("g"), ForceDelete: &force,
			})
			return err
		}
		wantError(
			t, remove(false), "ResourceInUse",
			"You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) "+
				"still in the group.",
		)
		if err := remove(true); err != nil {
			t.Fatal(err)
		}
		if g := w.describeGroup(); *g.Status != "Delete in progress" {
			t.Errorf("%+v", g)
		}
		_, err := w.CreateAutoScalingGroup(w.ctx, w.groupOfThree())
		wantError(t, err, "AlreadyExists", "pending delete")
		w.waitForLoop()
		if left := must(w.DescribeAutoScalingGroups(
			w.ctx, &autoscaling.DescribeAutoScalingGroupsInput{},
		))(t).AutoScalingGroups; len(left) != 0 {
			t.Fatalf("%+v", left)
		}
		_, err = w.DescribeScalingActivities(w.ctx, &autoscaling.DescribeScalingActivitiesInput{
			AutoScalingGroupName: new("g"),
		})
		wantError(t, err, "ValidationError", "AutoScalingGroup name not found - AutoScalingGroup g not found")
		history := must(w.DescribeScalingActivities(w.ctx, &autoscaling.DescribeScalingActivitiesInput{
			AutoScalingGroupName: new("g"), IncludeDeletedGroups: new(true),
		}))(t).Activities
		if len(history) != 6 || *history[0].AutoScalingGroupState != "Deleted" {
			t.Errorf("%d, %+v", len(history), history[0])
		}
		w.createGroup(func(in *autoscaling.CreateAutoScalingGroupInput) {
			in.DesiredCapacity, in.MinSize = new(int32(0)), new(int32(0))
		})
		if err := remove(false); err != nil {
			t.Error(err)
		}
	})
}
