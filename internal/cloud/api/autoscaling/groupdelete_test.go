//go:build linux

package autoscaling_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
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
		wantError(t, remove(false), "ResourceInUse", "You cannot delete an AutoScalingGroup while there are instances "+
			"or pending Spot instance request(s) still in the group.")
		if err := remove(true); err != nil {
			t.Fatal(err)
		}
		check(t, "Status", *w.describeGroup().Status, "Delete in progress")
		_, err := w.CreateAutoScalingGroup(w.ctx, w.groupOfThree())
		wantError(t, err, "AlreadyExists", "pending delete")
		w.waitForLoop()
		groups := must(w.DescribeAutoScalingGroups(w.ctx, &autoscaling.DescribeAutoScalingGroupsInput{}))(t)
		check(t, "number of AutoScalingGroups", len(groups.AutoScalingGroups), 0)
		_, err = w.DescribeScalingActivities(w.ctx, &autoscaling.DescribeScalingActivitiesInput{
			AutoScalingGroupName: new("g"),
		})
		wantError(t, err, "ValidationError", "AutoScalingGroup name not found - AutoScalingGroup g not found")
		history := must(w.DescribeScalingActivities(w.ctx, &autoscaling.DescribeScalingActivitiesInput{
			AutoScalingGroupName: new("g"), IncludeDeletedGroups: new(true),
		}))(t).Activities
		check(t, "number of Activities", len(history), 6)
		check(t, "AutoScalingGroupState", *history[0].AutoScalingGroupState, "Deleted")
		w.createGroup(func(in *createInput) {
			in.DesiredCapacity, in.MinSize = new(int32(0)), new(int32(0))
		})
		if err := remove(false); err != nil {
			t.Error(err)
		}
	})
}

func TestDeletionProtectionPreventsDeletion(t *testing.T) {
	w := newWorld(t)
	in := w.groupOfThree()
	in.DeletionProtection = types.DeletionProtectionPreventForceDeletion
	must(w.CreateAutoScalingGroup(w.ctx, in))(t)
	_, err := w.DeleteAutoScalingGroup(w.ctx, &autoscaling.DeleteAutoScalingGroupInput{
		AutoScalingGroupName: new("g"), ForceDelete: new(true),
	})
	wantError(t, err, "ValidationError", "deletion protection")
}
