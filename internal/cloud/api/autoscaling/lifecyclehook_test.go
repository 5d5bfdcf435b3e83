package autoscaling_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
)

func TestLifecycleHookHeartbeatCompletionAndDeletion(t *testing.T) {
	withLoop(t, func(w *world) {
		w.createGroup(nil)
		w.putHook("h", scalinggroup.Launching)
		_, err := w.PutLifecycleHook(w.ctx, &autoscaling.PutLifecycleHookInput{
			AutoScalingGroupName: new("g"), LifecycleHookName: new("h"), HeartbeatTimeout: new(int32(10)),
		})
		wantError(t, err, "ValidationError", "Member must have value greater than or equal to 30")
		must(w.PutLifecycleHook(w.ctx, &autoscaling.PutLifecycleHookInput{
			AutoScalingGroupName: new("g"), LifecycleHookName: new("h"), DefaultResult: new("CONTINUE"),
			NotificationMetadata: new("m"),
		}))(t)
		hooks := must(w.DescribeLifecycleHooks(w.ctx, &autoscaling.DescribeLifecycleHooksInput{
			AutoScalingGroupName: new("g"), LifecycleHookNames: []string{"h", "none"},
		}))(t).LifecycleHooks
		if h := hooks[0]; len(hooks) != 1 || *h.DefaultResult != "CONTINUE" || *h.HeartbeatTimeout != 600 ||
			*h.GlobalTimeout != 60000 || *h.NotificationMetadata != "m" ||
			*h.LifecycleTransition != scalinggroup.Launching {
			t.Errorf("%+v", h)
		}
		must(w.SetDesiredCapacity(w.ctx, &autoscaling.SetDesiredCapacityInput{
			AutoScalingGroupName: new("g"), DesiredCapacity: new(int32(5)),
		}))(t)
		w.waitForLoop()
		var waiting []string
		for _, i := range w.describeGroup().Instances {
			if i.LifecycleState == types.LifecycleStatePendingWait {
				waiting = append(waiting, *i.InstanceId)
			}
		}
		if len(waiting) != 2 {
			t.Fatal(w.lifecycleStates())
		}
		token := w.hookWaits(waiting[0])[0].Token
		beat := func() {
			must(w.RecordLifecycleActionHeartbeat(w.ctx, &autoscaling.RecordLifecycleActionHeartbeatInput{
				AutoScalingGroupName: new("g"), LifecycleHookName: new("h"), LifecycleActionToken: &token,
			}))(t)
		}
		for range 3 {
			time.Sleep(9 * time.Minute)
			beat()
		}
		if got := w.lifecycleStates(); got != "[InService:4 Pending:Wait:1]" {
			t.Error(got) // the one without a heartbeat went on
		}
		_, err = w.CompleteLifecycleAction(w.ctx, &autoscaling.CompleteLifecycleActionInput{
			AutoScalingGroupName: new("g"), LifecycleHookName: new("h"), LifecycleActionToken: new("no"),
			LifecycleActionResult: new("CONTINUE"),
		})
		wantError(t, err, "ValidationError", "No active Lifecycle Action found with token no")
		_, err = w.CompleteLifecycleAction(w.ctx, &autoscaling.CompleteLifecycleActionInput{
			AutoScalingGroupName: new("g"), LifecycleHookName: new("h"), InstanceId: new("i-0"),
			LifecycleActionResult: new("CONTINUE"),
		})
		wantError(t, err, "ValidationError", "No active Lifecycle Action found with instance ID i-0")
		must(w.DeleteLifecycleHook(w.ctx, &autoscaling.DeleteLifecycleHookInput{
			AutoScalingGroupName: new("g"), LifecycleHookName: new("h"),
		}))(t)
		time.Sleep(time.Second)
		if a := w.newestActivity(waiting[0]); *a.Description != "Terminating EC2 instance: "+waiting[0] {
			t.Errorf("%+v", a) // it is taken out, as if it had been abandoned
		}
		w.waitForLoop()
		check(t, "lifecycle states", w.lifecycleStates(), "[InService:5]")
	})
}
