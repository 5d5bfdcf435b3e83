//go:build linux

package autoscaling_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
)

func TestSetDesiredCapacityRespectsSizesAndCooldown(t *testing.T) {
	withLoop(t, func(w *world) {
		w.createGroup(nil)
		set := func(n int32, honor bool) error {
			_, err := w.SetDesiredCapacity(w.ctx, &autoscaling.SetDesiredCapacityInput{
				AutoScalingGroupName: new("g"), DesiredCapacity: &n, HonorCooldown: &honor,
			})
			return err
		}
		wantError(t, set(7, false), "ValidationError",
			"New SetDesiredCapacity value 7 is above max value 6 for the AutoScalingGroup.")
		wantError(t, set(0, false), "ValidationError",
			"New SetDesiredCapacity value 0 is below min value 1 for the AutoScalingGroup.")
		wantError(t, set(4, true), "ScalingActivityInProgress", "cooldown")
		time.Sleep(5 * time.Minute)
		if err := set(4, true); err != nil {
			t.Error(err)
		}
		w.waitForLoop()
		check(t, "lifecycle states", w.lifecycleStates(), "[InService:4]")
	})
}
