//go:build linux

package autoscaling_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
)

func TestTerminatedInstanceIsReplacedUnlessDesiredIsLowered(t *testing.T) {
	withLoop(t, func(w *world) {
		ids := w.createGroup(nil)
		terminate := func(id string, decrement bool) (*autoscaling.TerminateInstanceInAutoScalingGroupOutput, error) {
			in := &autoscaling.TerminateInstanceInAutoScalingGroupInput{
				InstanceId: &id, ShouldDecrementDesiredCapacity: &decrement,
			}
			return w.TerminateInstanceInAutoScalingGroup(w.ctx, in)
		}
		checkActivity(
			t, *must(terminate(ids[0], false))(t).Activity, "InProgress", "Terminating EC2 instance: "+ids[0],
			"instance "+ids[0]+" was taken out of service in response to a user request.",
		)
		checkActivity(
			t, *must(terminate(ids[1], true))(t).Activity, "InProgress", "Terminating EC2 instance: "+ids[1],
			"instance "+ids[1]+" was taken out of service in response to a user request, "+
				"shrinking the capacity from 3 to 2.",
		)
		w.waitForLoop()
		check(t, "lifecycle states", w.lifecycleStates(), "[InService:2]")

		must(w.UpdateAutoScalingGroup(w.ctx, &autoscaling.UpdateAutoScalingGroupInput{
			AutoScalingGroupName: new("g"), MinSize: new(int32(2)),
		}))(t)
		_, err := terminate(ids[2], true)
		wantError(t, err, "ValidationError", "Currently, desiredSize equals minSize (2). Terminating instance without "+
			"replacement will violate group's min size constraint. Either set shouldDecrementDesiredCapacity flag "+
			"to false or lower group's min size.")
		_, err = terminate("i-0", true)
		wantError(t, err, "ValidationError",
			"Instance Id not found - No managed instance found for instance ID: i-0")
	})
}
