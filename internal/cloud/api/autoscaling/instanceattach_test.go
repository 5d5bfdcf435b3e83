package autoscaling_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
)

func TestDetachAndAttachInstances(t *testing.T) {
	withLoop(t, func(w *world) {
		ids := w.createGroup(nil)
		must(w.SuspendProcesses(w.ctx, &autoscaling.SuspendProcessesInput{
			AutoScalingGroupName: new("g"), ScalingProcesses: []string{"AZRebalance"},
		}))(t)
		detach := func(decrement bool, id string) (*autoscaling.DetachInstancesOutput, error) {
			return w.DetachInstances(w.ctx, &autoscaling.DetachInstancesInput{
				AutoScalingGroupName: new("g"), InstanceIds: []string{id}, ShouldDecrementDesiredCapacity: &decrement,
			})
		}
		checkActivity(
			t, must(detach(false, ids[0]))(t).Activities[0], "InProgress", scalinggroup.DescribeDetach+ids[0],
			fmt.Sprintf("instance %s was detached in response to a user request.", ids[0]),
		)
		checkActivity(
			t, must(detach(true, ids[1]))(t).Activities[0], "InProgress", scalinggroup.DescribeDetach+ids[1],
			fmt.Sprintf(
				"instance %s was detached in response to a user request, shrinking the capacity from 3 to 2.", ids[1],
			),
		)
		w.waitForLoop()
		left, _ := store.Instances.Get(w.store.View(), ids[0])
		if _, tagged := left.Tags[scalinggroup.TagKey]; w.lifecycleStates() != "[InService:2]" || left.State != store.Running ||
			tagged || len(store.Targets.By(
			w.store.View(), "target", ids[0],
		)) != 0 {
			t.Errorf("%s, %+v", w.lifecycleStates(), left)
		}
		_, err := detach(true, ids[0])
		wantError(t, err, "ValidationError", fmt.Sprintf("The instance %s is not part of Auto Scaling group g.", ids[0]))
		attach := func(ids ...string) error {
			_, err := w.AttachInstances(w.ctx, &autoscaling.AttachInstancesInput{
				AutoScalingGroupName: new("g"), InstanceIds: ids,
			})
			return err
		}
		wantError(t, attach("i-0"), "ValidationError", "Invalid Instance ID(s): [i-0] specified")
		wantError(
			t, attach(ids[2]), "ValidationError",
			fmt.Sprintf("Instance %s is already part of AutoScalingGroup:g", ids[2]),
		)
		if err := attach(ids[0]); err != nil {
			t.Fatal(err)
		}
		w.waitForLoop()
		checkActivity(
			t, w.newestActivity(ids[0]), "Successful", "Attaching an existing EC2 instance: "+ids[0],
			"an instance was attached in response to a user request, increasing the capacity from 2 to 3.",
		)
		if w.lifecycleStates() != "[InService:3]" || *w.describeGroup().DesiredCapacity != 3 || len(store.Targets.By(
			w.store.View(), "target", ids[0],
		)) != 1 {
			t.Error(w.lifecycleStates())
		}
		must(w.ec2.StopInstances(w.ctx, &ec2.StopInstancesInput{InstanceIds: ids[1:2]}))(t)
		wantError(
			t, attach(ids[1]), "ValidationError", "is not in correct state. Instance(s) must be in 'running' state.",
		)
		must(w.UpdateAutoScalingGroup(w.ctx, &autoscaling.UpdateAutoScalingGroupInput{
			AutoScalingGroupName: new("g"), MaxSize: new(int32(3)),
		}))(t)
		wantError(
			t, attach("i-0"), "ValidationError",
			"AutoScalingGroup g has min-size=1, max-size=3, and desired-size=3. To attach 1 instance, please update "+
				"the AutoScalingGroup sizes appropriately.",
		)
	})
}
