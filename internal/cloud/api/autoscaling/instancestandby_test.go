//go:build linux

package autoscaling_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
)

func TestStandbyLeavesServiceAndReturnsThroughLaunchHooks(t *testing.T) {
	withLoop(t, func(w *world) {
		ids := w.createGroup(nil)
		id := ids[0]
		enter := func(ids ...string) (*autoscaling.EnterStandbyOutput, error) {
			return w.EnterStandby(w.ctx, &autoscaling.EnterStandbyInput{
				AutoScalingGroupName: new("g"), InstanceIds: ids, ShouldDecrementDesiredCapacity: new(true),
			})
		}
		description := "Moving EC2 instance to Standby: " + id
		cause := "instance " + id + " was moved to standby in response to a user request, " +
			"shrinking the capacity from 3 to 2."
		checkActivity(t, must(enter(id))(t).Activities[0], "InProgress", description, cause)
		_, err := enter(id)
		wantError(t, err, "ValidationError", "The instance "+id+" is not in InService.")
		_, err = enter(ids[1], ids[2])
		wantError(t, err, "ValidationError", "AutoScalingGroup g has min-size=1, max-size=6, and desired-size=2. To "+
			"place into standby 2 instances, please update the AutoScalingGroup sizes appropriately.")
		w.waitForLoop()
		check(t, "lifecycle states", w.lifecycleStates(), "[InService:2 Standby:1]")
		check(t, "number of targets on standby", w.registrations(id), 0)
		checkActivity(t, w.newestActivity(id), "Successful", description, cause)

		w.putHook("h", scalinggroup.Launching)
		out := must(w.ExitStandby(w.ctx, &autoscaling.ExitStandbyInput{
			AutoScalingGroupName: new("g"), InstanceIds: []string{id},
		}))(t)
		checkActivity(
			t, out.Activities[0], "PreInService", "Moving EC2 instance out of Standby: "+id,
			"instance "+id+" was moved out of standby in response to a user request, "+
				"increasing the capacity from 2 to 3.",
		)
		check(t, "Progress", *out.Activities[0].Progress, 30)
		w.waitForLoop()
		check(t, "lifecycle states", w.lifecycleStates(), "[InService:2 Pending:Wait:1]")

		must(w.CompleteLifecycleAction(w.ctx, &autoscaling.CompleteLifecycleActionInput{
			AutoScalingGroupName: new("g"), LifecycleHookName: new("h"), InstanceId: &id,
			LifecycleActionResult: new("CONTINUE"),
		}))(t)
		w.waitForLoop()
		check(t, "lifecycle states", w.lifecycleStates(), "[InService:3]")
		check(t, "number of targets in service", w.registrations(id), 1)
	})
}
