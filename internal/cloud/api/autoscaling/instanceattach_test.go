//go:build linux

package autoscaling_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
)

func TestDetachedInstancesKeepRunning(t *testing.T) {
	withLoop(t, func(w *world) {
		ids := w.createGroup(nil)
		w.suspend("AZRebalance")
		checkActivity(
			t, must(w.detach(false, ids[0]))(t).Activities[0], "InProgress", "Detaching EC2 instance: "+ids[0],
			"instance "+ids[0]+" was detached in response to a user request.",
		)
		checkActivity(
			t, must(w.detach(true, ids[1]))(t).Activities[0], "InProgress", "Detaching EC2 instance: "+ids[1],
			"instance "+ids[1]+" was detached in response to a user request, shrinking the capacity from 3 to 2.",
		)
		w.waitForLoop()
		check(t, "lifecycle states", w.lifecycleStates(), "[InService:2]")
		detached, _ := store.Instances.Get(w.store.View(), ids[0])
		check(t, "state", detached.State, store.Running)
		if _, tagged := detached.Tags[scalinggroup.TagKey]; tagged {
			t.Error("a detached instance keeps the group's tag")
		}
		check(t, "number of targets", w.registrations(ids[0]), 0)

		_, err := w.detach(true, ids[0])
		wantError(t, err, "ValidationError", "The instance "+ids[0]+" is not part of Auto Scaling group g.")
	})
}

func TestAttachInstances(t *testing.T) {
	withLoop(t, func(w *world) {
		ids := w.createGroup(nil)
		w.suspend("AZRebalance")
		must(w.detach(false, ids[0]))(t)
		must(w.detach(true, ids[1]))(t)
		w.waitForLoop()
		attach := func(id string) error {
			_, err := w.AttachInstances(w.ctx, &autoscaling.AttachInstancesInput{
				AutoScalingGroupName: new("g"), InstanceIds: []string{id},
			})
			return err
		}
		wantError(t, attach("i-0"), "ValidationError", "Invalid Instance ID(s): [i-0] specified")
		wantError(t, attach(ids[2]), "ValidationError",
			"Instance "+ids[2]+" is already part of AutoScalingGroup:g")

		if err := attach(ids[0]); err != nil {
			t.Fatal(err)
		}
		w.waitForLoop()
		checkActivity(
			t, w.newestActivity(ids[0]), "Successful", "Attaching an existing EC2 instance: "+ids[0],
			"an instance was attached in response to a user request, increasing the capacity from 2 to 3.",
		)
		check(t, "lifecycle states", w.lifecycleStates(), "[InService:3]")
		check(t, "DesiredCapacity", *w.describeGroup().DesiredCapacity, 3)
		check(t, "number of targets", w.registrations(ids[0]), 1)

		must(w.ec2.StopInstances(w.ctx, &ec2.StopInstancesInput{InstanceIds: ids[1:2]}))(t)
		wantError(t, attach(ids[1]), "ValidationError",
			"is not in correct state. Instance(s) must be in 'running' state.")
		must(w.UpdateAutoScalingGroup(w.ctx, &autoscaling.UpdateAutoScalingGroupInput{
			AutoScalingGroupName: new("g"), MaxSize: new(int32(3)),
		}))(t)
		wantError(t, attach("i-0"), "ValidationError", "AutoScalingGroup g has min-size=1, max-size=3, and "+
			"desired-size=3. To attach 1 instance, please update the AutoScalingGroup sizes appropriately.")
	})
}

func (w *world) detach(decrement bool, id string) (*autoscaling.DetachInstancesOutput, error) {
	return w.DetachInstances(w.ctx, &autoscaling.DetachInstancesInput{
		AutoScalingGroupName: new("g"), InstanceIds: []string{id}, ShouldDecrementDesiredCapacity: &decrement,
	})
}
