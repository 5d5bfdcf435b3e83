package autoscaling

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// DetachInstances lets instances leave a group, after their connections are
// drained, and leaves them running. They are replaced unless the desired
// capacity is lowered.
func (a *API) DetachInstances(ctx context.Context, in *autoscaling.DetachInstancesInput) (*autoscaling.DetachInstancesOutput, error) {
	if err := model.Required("shouldDecrementDesiredCapacity", in.ShouldDecrementDesiredCapacity != nil); err != nil {
		return nil, err
	}
	var begun []*store.ScalingActivity
	out := &autoscaling.DetachInstancesOutput{}
	return out, a.Store.Update(func(tx *store.Tx) error {
		rows, g, err := a.findLeaving(
			tx,
			wire.RegionFrom(ctx),
			in.AutoScalingGroupName,
			in.InstanceIds,
			*in.ShouldDecrementDesiredCapacity,
			"detach",
			store.LifecycleStandby,
		)
		if err != nil {
			return err
		}
		for _, i := range rows {
			suffix := ""
			if *in.ShouldDecrementDesiredCapacity && i.State == store.LifecycleInService {
				suffix = a.changeDesired(tx, g, -1)
			}
			begun = append(
				begun,
				a.beginTransition(tx, i, store.LifecycleDetaching, scalinggroup.DescribeDetach, "detached", suffix),
			)
		}
		out.Activities = describeActivities(tx, begun)
		return nil
	})
}
