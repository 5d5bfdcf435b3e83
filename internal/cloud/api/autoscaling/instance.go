package autoscaling

import (
	"cmp"
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
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
		i, _, err := findInstance(tx, wire.RegionFrom(ctx), *in.InstanceId)
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
		g, err := findGroup(tx, wire.RegionFrom(ctx), in.AutoScalingGroupName)
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
