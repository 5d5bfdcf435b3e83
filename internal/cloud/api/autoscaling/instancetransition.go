package autoscaling

import (
	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
)

// findLeaving finds the instances that are to leave, and refuses those that are in
// none of the states from which one can: in service, or the other one.
func (a *API) findLeaving(
	tx *store.Tx,
	region string,
	name *string,
	ids []string,
	decrement bool,
	doing, other string,
) ([]*store.ScalingInstance, *store.ScalingGroup, error) {
	g, err := findActiveGroup(tx, region, name)
	if err != nil {
		return nil, nil, err
	}
	rows, err := findGroupInstances(tx, g, ids, 20)
	if err != nil {
		return nil, nil, err
	}
	serving := 0
	for _, i := range rows {
		switch i.State {
		case store.LifecycleInService:
			serving++
		case other:
		default:
			if other == "" {
				return nil, nil, invalid("The instance %s is not in InService.", i.InstanceID)
			}
			return nil, nil, invalid("The instance %s is not in InService or Standby.", i.InstanceID)
		}
	}
	if decrement && serving > 0 {
		if err := checkCapacityChange(g, -serving, doing); err != nil {
			return nil, nil, err
		}
	}
	return rows, g, nil
}

// beginTransition moves an instance out of service, with an activity.
func (a *API) beginTransition(
	tx *store.Tx,
	i *store.ScalingInstance,
	state, description, done, suffix string,
) *store.ScalingActivity {
	now := a.Now()
	cause := scalinggroup.CauseUserMoved(now, i.InstanceID, done, suffix)
	activity := scalinggroup.BeginActivity(tx, a.IDs, i, description+i.InstanceID, cause, now)
	store.ScalingInstances.Edit(tx, i.InstanceID, func(i *store.ScalingInstance) {
		scalinggroup.SetLifecycleState(i, state, now)
		i.ActivityID, i.Replace, i.Successor, i.Surplus = activity.ID, "", "", false
	})
	return activity
}
