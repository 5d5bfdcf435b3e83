//go:build linux

package autoscaling_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
)

func TestPutLifecycleHookChangesGivenParameters(t *testing.T) {
	w := newWorld(t)
	must(w.CreateAutoScalingGroup(w.ctx, w.groupOfThree()))(t)
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
	check(t, "number of LifecycleHooks", len(hooks), 1)
	check(t, "DefaultResult", *hooks[0].DefaultResult, "CONTINUE")
	check(t, "HeartbeatTimeout", *hooks[0].HeartbeatTimeout, 600)
	check(t, "GlobalTimeout", *hooks[0].GlobalTimeout, 60000)
	check(t, "NotificationMetadata", *hooks[0].NotificationMetadata, "m")
	check(t, "LifecycleTransition", *hooks[0].LifecycleTransition, scalinggroup.Launching)
}

func TestLaunchWaitsForItsHookWhileHeartbeatsContinue(t *testing.T) {
	withLoop(t, func(w *world) {
		w.createGroup(nil)
		w.putHook("h", scalinggroup.Launching)
		must(w.PutLifecycleHook(w.ctx, &autoscaling.PutLifecycleHookInput{
			AutoScalingGroupName: new("g"), LifecycleHookName: new("h"), DefaultResult: new("CONTINUE"),
		}))(t)
		must(w.SetDesiredCapacity(w.ctx, &autoscaling.SetDesiredCapacityInput{
			AutoScalingGroupName: new("g"), DesiredCapacity: new(int32(5)),
		}))(t)
		w.waitForLoop()
		check(t, "lifecycle states", w.lifecycleStates(), "[InService:3 Pending:Wait:2]")
		var id string // of an instance that waits
		for _, i := range w.describeGroup().Instances {
			if i.LifecycleState == types.LifecycleStatePendingWait {
				id = *i.InstanceId
			}
		}
		token := w.hookWaits(id)[0].Token
		for range 3 {
			time.Sleep(9 * time.Minute)
			must(w.RecordLifecycleActionHeartbeat(w.ctx, &autoscaling.RecordLifecycleActionHeartbeatInput{
				AutoScalingGroupName: new("g"), LifecycleHookName: new("h"), LifecycleActionToken: &token,
			}))(t)
		}
		// The instance without heartbeats has continued.
		check(t, "lifecycle states", w.lifecycleStates(), "[InService:4 Pending:Wait:1]")

		complete := func(instance, token *string) error {
			_, err := w.CompleteLifecycleAction(w.ctx, &autoscaling.CompleteLifecycleActionInput{
				AutoScalingGroupName: new("g"), LifecycleHookName: new("h"), LifecycleActionResult: new("CONTINUE"),
				InstanceId: instance, LifecycleActionToken: token,
			})
			return err
		}
		wantError(t, complete(nil, new("no")), "ValidationError", "No active Lifecycle Action found with token no")
		wantError(t, complete(new("i-0"), nil), "ValidationError",
			"No active Lifecycle Action found with instance ID i-0")

		must(w.DeleteLifecycleHook(w.ctx, &autoscaling.DeleteLifecycleHookInput{
			AutoScalingGroupName: new("g"), LifecycleHookName: new("h"),
		}))(t)
		time.Sleep(time.Second)
		// Deleting the hook abandons the launch: the instance is replaced.
		check(t, "Description", *w.newestActivity(id).Description, "Terminating EC2 instance: "+id)
		w.waitForLoop()
		check(t, "lifecycle states", w.lifecycleStates(), "[InService:5]")
	})
}
