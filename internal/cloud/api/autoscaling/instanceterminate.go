package autoscaling

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// TerminateInstanceInAutoScalingGroup ends instances, and replaces them unless
// the desired capacity is lowered.
func (a *API) TerminateInstanceInAutoScalingGroup(ctx context.Context, in *autoscaling.TerminateInstanceInAutoScalingGroupInput) (*autoscaling.TerminateInstanceInAutoScalingGroupOutput, error) {
	if err := model.Required("shouldDecrementDesiredCapacity", in.ShouldDecrementDesiredCapacity != nil); err != nil {
		return nil, err
	}
	ids := slices.Clone(in.InstanceIds)
	switch {
	case in.InstanceId != nil && len(ids) > 0:
		return nil, invalid("You cannot specify both InstanceId and InstanceIds")
	case in.InstanceId != nil:
		ids = []string{*in.InstanceId}
	case len(ids) == 0:
		return nil, model.Null("instanceId")
	case in.AutoScalingGroupName == nil:
		return nil, invalid("AutoScalingGroupName must be specified when using InstanceIds")
	case len(ids) > 100:
		return nil, invalid("The number of instance ids that may be passed in is limited to 100")
	}
	out := &autoscaling.TerminateInstanceInAutoScalingGroupOutput{}
	return out, a.Store.Update(func(tx *store.Tx) error {
		for _, id := range ids {
			i, g, err := findInstance(tx, wire.RegionFrom(ctx), id)
			if err != nil {
				return err
			}
			if name := constraint.Default(in.AutoScalingGroupName, g.Name); name != g.Name {
				return invalid("The instance %s is not part of Auto Scaling group %s.", id, name)
			}
			activity, err := a.terminate(tx, g, i, *in.ShouldDecrementDesiredCapacity)
			if err != nil {
				return err
			}
			item := describeActivity(tx, activity)
			out.Activity = &item
		}
		return nil
	})
}

func (a *API) terminate(
	tx *store.Tx,
	g *store.ScalingGroup,
	i *store.ScalingInstance,
	decrement bool,
) (*store.ScalingActivity, error) {
	if scalinggroup.Leaving(i) {
		if activity, ok := store.ScalingActivities.Get(tx, i.ActivityID); ok && i.State != store.LifecycleDetaching {
			return activity, nil // it goes already
		}
		return nil, invalid(
			"The instance %s is not in a state in which it can be terminated: %s", i.InstanceID, i.State,
		)
	}
	shrinking := ""
	if decrement && scalinggroup.CountsTowardCapacity(i) {
		if g.Desired <= g.Min {
			return nil, invalid(
				"Currently, desiredSize equals minSize (%d). Terminating instance without replacement will violate group's min size constraint. Either set shouldDecrementDesiredCapacity flag to false or lower group's min size.",
				g.Min,
			)
		}
		shrinking = a.changeDesired(tx, g, -1)
	}
	now := a.Now()
	cause := scalinggroup.CauseUserTookOut(now, i.InstanceID, shrinking)
	return scalinggroup.BeginTermination(tx, a.IDs, i.InstanceID, cause, "", now), nil
}
