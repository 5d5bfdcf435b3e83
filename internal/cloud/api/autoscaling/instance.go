package autoscaling

import (
	"cmp"
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
)

// findInstance finds an instance of any group in the region, and its group.
func findInstance(r store.Reader, region, id string) (*store.ScalingInstance, *store.ScalingGroup, error) {
	i, ok := store.ScalingInstances.Get(r, id)
	if !ok || i.Region != region {
		return nil, nil, invalid("Instance Id not found - No managed instance found for instance ID: %s", id)
	}
	g, err := findGroup(r, region, &i.Group)
	return i, g, err
}

// findGroupInstances finds instances of a group, all of those named.
func findGroupInstances(r store.Reader, g *store.ScalingGroup, ids []string, most int) ([]*store.ScalingInstance, error) {
	if len(ids) == 0 {
		return nil, model.Null("instanceIds")
	}
	if len(ids) > most {
		return nil, invalid("The number of instance ids that may be passed in is limited to %d", most)
	}
	var out []*store.ScalingInstance
	for n, id := range ids {
		i, ok := store.ScalingInstances.Get(r, id)
		switch {
		case !ok || i.GroupKey() != g.Key():
			return nil, invalid("The instance %s is not part of Auto Scaling group %s.", id, g.Name)
		case slices.Contains(ids[:n], id):
			return nil, invalid("The instance %s was specified more than once", id)
		}
		out = append(out, i)
	}
	return out, nil
}

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
			i, g, err := findInstance(tx, region(ctx), id)
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
	cause := scalinggroup.CauseSentence(
		now, "instance %s was taken out of service in response to a user request%s", i.InstanceID, shrinking,
	)
	return scalinggroup.BeginTermination(tx, i.InstanceID, cause, "", now), nil
}

// SetInstanceHealth says what a user knows of an instance's health. By default
// nothing is heard in its grace period.
func (a *API) SetInstanceHealth(ctx context.Context, in *autoscaling.SetInstanceHealthInput) (*autoscaling.SetInstanceHealthOutput, error) {
	if err := cmp.Or(
		model.Required("instanceId", in.InstanceId != nil), model.Required("healthStatus", in.HealthStatus != nil),
	); err != nil {
		return nil, err
	}
	health := *in.HealthStatus
	if health != scalinggroup.Healthy && health != scalinggroup.Unhealthy {
		return nil, model.OutOfSet("healthStatus", health, "Healthy", "Unhealthy")
	}
	return &autoscaling.SetInstanceHealthOutput{}, a.Store.Update(func(tx *store.Tx) error {
		i, _, err := findInstance(tx, region(ctx), *in.InstanceId)
		if err != nil {
			return err
		}
		if health == scalinggroup.Unhealthy && constraint.Default(in.ShouldRespectGracePeriod, true) &&
			a.Now().Before(i.GraceUntil) {
			return nil
		}
		store.ScalingInstances.Edit(tx, i.InstanceID, func(i *store.ScalingInstance) {
			i.Health, i.UserHealth = health, health == scalinggroup.Unhealthy
		})
		return nil
	})
}

// SetInstanceProtection protects instances from scale-in, or no longer.
func (a *API) SetInstanceProtection(ctx context.Context, in *autoscaling.SetInstanceProtectionInput) (*autoscaling.SetInstanceProtectionOutput, error) {
	if err := model.Required("protectedFromScaleIn", in.ProtectedFromScaleIn != nil); err != nil {
		return nil, err
	}
	return &autoscaling.SetInstanceProtectionOutput{}, a.Store.Update(func(tx *store.Tx) error {
		g, err := findGroup(tx, region(ctx), in.AutoScalingGroupName)
		if err != nil {
			return err
		}
		rows, err := findGroupInstances(tx, g, in.InstanceIds, 50)
		if err != nil {
			return err
		}
		for _, i := range rows {
			if !scalinggroup.CountsTowardCapacity(i) && i.State != store.LifecycleEnteringStandby &&
				i.State != store.LifecycleStandby {
				return invalid("The instance %s is not in InService or EnteringStandby or Standby.", i.InstanceID)
			}
			store.ScalingInstances.Edit(
				tx, i.InstanceID, func(i *store.ScalingInstance) { i.Protected = *in.ProtectedFromScaleIn },
			)
		}
		return nil
	})
}

// changeDesired moves the desired capacity with instances that a user takes or gives,
// and returns what the activity says of it.
func (a *API) changeDesired(tx *store.Tx, g *store.ScalingGroup, by int32) string {
	row, _ := store.ScalingGroups.Get(tx, g.Key())
	before := row.Desired
	store.ScalingGroups.Edit(tx, g.Key(), func(g *store.ScalingGroup) { g.Desired += by })
	if by < 0 {
		return shrinkingClause(before, before+by)
	}
	return increasingClause(before, before+by)
}

// describeActivities is an activity's answer for each row.
func describeActivities(r store.Reader, rows []*store.ScalingActivity) []types.Activity {
	out := []types.Activity{}
	for _, a := range rows {
		out = append(out, describeActivity(r, a))
	}
	return out
}
