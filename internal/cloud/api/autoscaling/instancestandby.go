package autoscaling

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// EnterStandby takes instances out of service without ending them: their
// connections are drained, and nobody checks their health.
func (a *API) EnterStandby(ctx context.Context, in *autoscaling.EnterStandbyInput) (*autoscaling.EnterStandbyOutput, error) {
	if err := model.Required("shouldDecrementDesiredCapacity", in.ShouldDecrementDesiredCapacity != nil); err != nil {
		return nil, err
	}
	var begun []*store.ScalingActivity
	out := &autoscaling.EnterStandbyOutput{}
	return out, a.Store.Update(func(tx *store.Tx) error {
		rows, g, err := a.findLeaving(
			tx,
			wire.RegionFrom(ctx),
			in.AutoScalingGroupName,
			in.InstanceIds,
			*in.ShouldDecrementDesiredCapacity,
			"place into standby",
			"",
		)
		if err != nil {
			return err
		}
		for _, i := range rows {
			suffix := ""
			if *in.ShouldDecrementDesiredCapacity {
				suffix = a.changeDesired(tx, g, -1)
			}
			begun = append(begun, a.beginTransition(
				tx, i, store.LifecycleEnteringStandby, scalinggroup.DescribeEnterStandby, "moved to standby", suffix,
			))
		}
		out.Activities = describeActivities(tx, begun)
		return nil
	})
}

// ExitStandby puts instances back into service: the group is desired to be that
// much larger. They pass the launch hooks like new ones.
func (a *API) ExitStandby(ctx context.Context, in *autoscaling.ExitStandbyInput) (*autoscaling.ExitStandbyOutput, error) {
	var begun []*store.ScalingActivity
	out := &autoscaling.ExitStandbyOutput{}
	return out, a.Store.Update(func(tx *store.Tx) error {
		g, err := findActiveGroup(tx, wire.RegionFrom(ctx), in.AutoScalingGroupName)
		if err != nil {
			return err
		}
		rows, err := findGroupInstances(tx, g, in.InstanceIds, 20)
		if err != nil {
			return err
		}
		for _, i := range rows {
			if i.State != store.LifecycleStandby {
				return invalid("The instance %s is not in Standby.", i.InstanceID)
			}
		}
		if err := checkCapacityChange(g, len(rows), "move out of standby"); err != nil {
			return err
		}
		for _, i := range rows {
			activity := a.beginTransition(
				tx,
				i,
				store.LifecyclePending,
				scalinggroup.DescribeExitStandby,
				"moved out of standby",
				a.changeDesired(tx, g, 1),
			)
			scalinggroup.UpdateActivity(tx, activity.ID, scalinggroup.PreInService, 30)
			activity, _ = store.ScalingActivities.Get(tx, activity.ID)
			begun = append(begun, activity)
		}
		out.Activities = describeActivities(tx, begun)
		return nil
	})
}
