package autoscaling_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
)

func TestTerminatedInstanceIsReplacedUnlessDesiredIsLowered(t *testing.T) {
	withLoop(t, func(w *world) {
		ids := w.createGroup(nil)
		terminate := func(id string, decrement bool) (*types.Activity, error) {
			out, err := w.TerminateInstanceInAutoScalingGroup(w.ctx, &autoscaling.TerminateInstanceInAutoScalingGroupInput{
				InstanceId: &id, ShouldDecrementDesiredCapacity: &decrement,
			})
			if err != nil {
				return nil, err
			}
			return out.Activity, nil
		}
		checkActivity(
			t, *must(terminate(ids[0], false))(t), "InProgress", "Terminating EC2 instance: "+ids[0],
			fmt.Sprintf("instance %s was taken out of service in response to a user request.", ids[0]),
		)
		checkActivity(t, *must(terminate(ids[1], true))(t), "InProgress", "Terminating EC2 instance: "+ids[1], fmt.Sprintf(
			"instance %s was taken out of service in response to a user request, shrinking the capacity from 3 to 2.",
			ids[1],
		))
		w.waitForLoop()
		if got := w.lifecycleStates(); got != "[InService:2]" {
			t.Error(got)
		}
		must(w.UpdateAutoScalingGroup(w.ctx, &autoscaling.UpdateAutoScalingGroupInput{
			AutoScalingGroupName: new("g"), MinSize: new(int32(2)),
		}))(t)
		_, err := terminate(ids[2], true)
		wantError(
			t, err, "ValidationError",
			"Currently, desiredSize equals minSize (2). Terminating instance without replacement will violate "+
				"group's min size constraint. Either set shouldDecrementDesiredCapacity flag to false or lower "+
				"group's min size.",
		)
		_, err = terminate("i-0", true)
		wantError(t, err, "ValidationError", "Instance Id not found - No managed instance found for instance ID: i-0")
	})
}
