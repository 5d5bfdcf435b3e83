package autoscaling

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// EnterStandby takes instances out of service but keeps them running in the group.
// Their connections drain, and their health is not checked.
func (a *API) EnterStandby(
	ctx context.Context, in *autoscaling.EnterStandbyInput,
) (*autoscaling.EnterStandbyOutput, error) {
	activities, err := a.leaveService(
		ctx, enteringStandby, in.AutoScalingGroupName, in.InstanceIds, in.ShouldDecrementDesiredCapacity,
	)
	return &autoscaling.EnterStandbyOutput{Activities: activities}, err
}

// ExitStandby returns instances to service and raises the desired capacity by what they
// provide. They pass the launch hooks as new instances do.
func (a *API) ExitStandby(
	ctx context.Context, in *autoscaling.ExitStandbyInput,
) (*autoscaling.ExitStandbyOutput, error) {
	out := &autoscaling.ExitStandbyOutput{}
	return out, a.Store.Update(func(tx *store.Tx) error {
		g, err := findActiveGroup(tx, wire.RegionFrom(ctx), in.AutoScalingGroupName)
		if err != nil {
			return err
		}
		instances, err := findGroupInstances(tx, g, in.InstanceIds, maxMoved)
		if err != nil {
			return err
		}
		units := 0
		for _, i := range instances {
			units += scalinggroup.Units(i)
			if i.State != store.LifecycleStandby {
				return invalid("The instance %s is not in Standby.", i.InstanceID)
			}
		}
		if err := checkDesiredChange(g, units, exitingStandby.action, len(instances)); err != nil {
			return err
		}
		var begun []*store.ScalingActivity
		for _, i := range instances {
			activity := a.beginTransition(tx, i, exitingStandby, addToDesired(tx, g, scalinggroup.Units(i)))
			scalinggroup.UpdateActivity(tx, activity.ID, scalinggroup.PreInService, 30)
			activity, _ = store.ScalingActivities.Get(tx, activity.ID)
			begun = append(begun, activity)
		}
		out.Activities = describeActivities(tx, begun)
		return nil
	})
}
