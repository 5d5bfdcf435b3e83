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

// TerminateInstanceInAutoScalingGroup terminates instances. Their group replaces
// them unless the request lowers its desired capacity.
func (a *API) TerminateInstanceInAutoScalingGroup(
	ctx context.Context, in *autoscaling.TerminateInstanceInAutoScalingGroupInput,
) (*autoscaling.TerminateInstanceInAutoScalingGroupOutput, error) {
	if err := model.Required("shouldDecrementDesiredCapacity", in.ShouldDecrementDesiredCapacity != nil); err != nil {
		return nil, err
	}
	ids, err := instancesToTerminate(in)
	if err != nil {
		return nil, err
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

// instancesToTerminate returns the instances that a request names in either of
// two ways.
func instancesToTerminate(in *autoscaling.TerminateInstanceInAutoScalingGroupInput) ([]string, error) {
	switch ids := slices.Clone(in.InstanceIds); {
	case in.InstanceId != nil && len(ids) > 0:
		return nil, invalid("You cannot specify both InstanceId and InstanceIds")
	case in.InstanceId != nil:
		return []string{*in.InstanceId}, nil
	case len(ids) == 0:
		return nil, model.Null("instanceId")
	case in.AutoScalingGroupName == nil:
		return nil, invalid("AutoScalingGroupName must be specified when using InstanceIds")
	case len(ids) > maxTerminated:
		return nil, invalid("The number of instance ids that may be passed in is limited to %d", maxTerminated)
	default:
		return ids, nil
	}
}

// terminate begins an instance's termination and returns its activity: that of
// the termination in progress, if there is one.
func (a *API) terminate(
	tx *store.Tx, g *store.ScalingGroup, i *store.ScalingInstance, decrement bool,
) (*store.ScalingActivity, error) {
	if scalinggroup.Leaving(i) {
		if activity, ok := store.ScalingActivities.Get(tx, i.ActivityID); ok && i.State != store.LifecycleDetaching {
			return activity, nil
		}
		return nil, invalid(
			"The instance %s is not in a state in which it can be terminated: %s", i.InstanceID, i.State,
		)
	}
	suffix := ""
	if decrement && scalinggroup.CountsTowardCapacity(i) {
		if int(g.Desired)-scalinggroup.Units(i) < int(g.Min) {
			return nil, invalid("Currently, desiredSize equals minSize (%d). Terminating instance without replacement "+
				"will violate group's min size constraint. Either set shouldDecrementDesiredCapacity flag to false or "+
				"lower group's min size.", g.Min)
		}
		suffix = addToDesired(tx, g, -scalinggroup.Units(i))
	}
	now := a.Now()
	cause := scalinggroup.CauseUserTookOut(now, i.InstanceID, suffix)
	return scalinggroup.BeginTermination(tx, a.IDs, i.InstanceID, cause, "", now), nil
}
