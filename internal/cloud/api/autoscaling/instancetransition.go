package autoscaling

import (
	"context"
	"maps"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// transition is a change of an instance's lifecycle state that a user requests.
// The errors and activities of the operations differ in its words alone.
type transition struct {
	alsoFrom    string // lifecycle state besides InService in which it can begin; empty: none
	to          string // lifecycle state that it sets; the scaling loop continues from there
	action      string // in the error "To <action> 2 instances, please update …"
	description string // of its activity, before the instance's ID
	done        string // in its activity's cause, "instance i-1 was <done> in response to …"
}

var (
	detaching = transition{
		alsoFrom: store.LifecycleStandby, to: store.LifecycleDetaching,
		action: "detach", description: scalinggroup.DescribeDetach, done: "detached",
	}
	enteringStandby = transition{
		to:     store.LifecycleEnteringStandby,
		action: "place into standby", description: scalinggroup.DescribeEnterStandby, done: "moved to standby",
	}
	exitingStandby = transition{
		to:     store.LifecyclePending,
		action: "move out of standby", description: scalinggroup.DescribeExitStandby, done: "moved out of standby",
	}
)

// leaveService begins a transition that takes instances of a group out of service,
// and returns its activities. The group replaces the instances unless decrement
// lowers its desired capacity by those that were in service.
func (a *API) leaveService(
	ctx context.Context, t transition, group *string, ids []string, decrement *bool,
) ([]types.Activity, error) {
	if err := model.Required("shouldDecrementDesiredCapacity", decrement != nil); err != nil {
		return nil, err
	}
	var out []types.Activity
	err := a.Store.Update(func(tx *store.Tx) error {
		g, err := findActiveGroup(tx, wire.RegionFrom(ctx), group)
		if err != nil {
			return err
		}
		instances, err := findGroupInstances(tx, g, ids, maxMoved)
		if err != nil {
			return err
		}
		if err := checkLeaving(g, instances, t, *decrement); err != nil {
			return err
		}
		var begun []*store.ScalingActivity
		for _, i := range instances {
			suffix := ""
			if *decrement && i.State == store.LifecycleInService {
				suffix = addToDesired(tx, g, -scalinggroup.Units(i))
			}
			begun = append(begun, a.beginTransition(tx, i, t, suffix))
		}
		out = describeActivities(tx, begun)
		return nil
	})
	return out, err
}

// checkLeaving checks the instances' lifecycle states and, if the desired capacity
// is lowered, that it stays within the group's sizes.
func checkLeaving(g *store.ScalingGroup, instances []*store.ScalingInstance, t transition, decrement bool) error {
	inService, units := 0, 0
	for _, i := range instances {
		switch {
		case i.State == store.LifecycleInService:
			inService, units = inService+1, units+scalinggroup.Units(i)
		case t.alsoFrom == "":
			return invalid("The instance %s is not in InService.", i.InstanceID)
		case i.State != t.alsoFrom:
			return invalid("The instance %s is not in InService or %s.", i.InstanceID, t.alsoFrom)
		}
	}
	if !decrement || inService == 0 {
		return nil
	}
	return checkDesiredChange(g, -units, t.action, inService)
}

// beginTransition sets an instance's lifecycle state and begins the activity.
// suffix continues the activity's cause if the desired capacity changes, too. An instance
// that leaves loses the tag that names its group (Amazon EC2 Auto Scaling User Guide, Tag
// Auto Scaling groups and instances).
func (a *API) beginTransition(
	tx *store.Tx, i *store.ScalingInstance, t transition, suffix string,
) *store.ScalingActivity {
	now := a.Now()
	cause := scalinggroup.CauseUserMoved(now, i.InstanceID, t.done, suffix)
	activity := scalinggroup.BeginActivity(tx, a.IDs, i, t.description+i.InstanceID, cause, now)
	store.ScalingInstances.Edit(tx, i.InstanceID, func(i *store.ScalingInstance) {
		scalinggroup.SetLifecycleState(i, t.to, now)
		i.ActivityID, i.ReplaceCause, i.ReplacementCause, i.Surplus = activity.ID, "", "", false
	})
	if t.to == store.LifecycleDetaching {
		store.Instances.Edit(tx, i.InstanceID, func(row *store.Instance) {
			row.Tags = maps.Clone(row.Tags)
			delete(row.Tags, scalinggroup.TagKey)
		})
	}
	return activity
}
