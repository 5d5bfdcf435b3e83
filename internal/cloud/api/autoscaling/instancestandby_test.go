package autoscaling_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
)

func TestStandbyLeavesServiceAndReturnsThroughLaunchHooks(t *testing.T) {
	withLoop(t, func(w *world) {
		ids := w.createGroup(nil)
		enter := func(decrement bool, ids ...string) error {
			out, err := w.EnterStandby(w.ctx, &autoscaling.EnterStandbyInput{
				AutoScalingGroupName: new("g"), InstanceIds: ids, ShouldDecrementDesiredCapacity: &decrement,
			})
			if err == nil {
				checkActivity(t, out.Activities[0], "InProgress", scalinggroup.DescribeEnterStandby+ids[0], fmt.Sprintf(
					"instance %s was moved to standby in response to a user request, shrinking the capacity "+
						"from 3 to 2.",
					ids[0],
				))
			}
			return err
		}
		if err := enter(true, ids[0]); err != nil {
			t.Fatal(err)
		}
		wantError(t, enter(true, ids[0]), "ValidationError", fmt.Sprintf("The instance %s is not in InService.", ids[0]))
		wantError(
			t, enter(true, ids[1], ids[2]), "ValidationError",
			"AutoScalingGroup g has min-size=1, max-size=6, and desired-size=2. To place into standby 2 instances, "+
				"please update the AutoScalingGroup sizes appropriately.",
		)
		w.waitForLoop()
		if got := w.lifecycleStates(); got != "[InService:2 Standby:1]" || len(store.Targets.By(
			w.store.View(), "target", ids[0],
		)) != 0 {
			t.Error(got)
		}
		checkActivity(t, w.newestActivity(ids[0]), "Successful", scalinggroup.DescribeEnterStandby+ids[0], fmt.Sprintf(
			"instance %s was moved to standby in response to a user request, shrinking the capacity from 3 to 2.",
			ids[0],
		))
		w.putHook("h", scalinggroup.Launching)
		out := must(w.ExitStandby(w.ctx, &autoscaling.ExitStandbyInput{
			AutoScalingGroupName: new("g"), InstanceIds: ids[:1],
		}))(t)
		checkActivity(t, out.Activities[0], "PreInService", scalinggroup.DescribeExitStandby+ids[0], fmt.Sprintf(
			"instance %s was moved out of standby in response to a user request, increasing the capacity from 2 to 3.",
			ids[0],
		))
		if *out.Activities[0].Progress != 30 {
			t.Errorf("%d", *out.Activities[0].Progress)
		}
		w.waitForLoop()
		if got := w.lifecycleStates(); got != "[InService:2 Pending:Wait:1]" {
			t.Error(got)
		}
		must(w.CompleteLifecycleAction(w.ctx, &autoscaling.CompleteLifecycleActionInput{
			AutoScalingGroupName: new("g"), LifecycleHookName: new("h"), InstanceId: &ids[0],
			LifecycleActionResult: new("CONTINUE"),
		}))(t)
		w.waitForLoop()
		if got := w.lifecycleStates(); got != "[InService:3]" || len(store.Targets.By(w.store.View(), "target", ids[0])) != 1 {
			t.Error(got)
		}
	})
}
