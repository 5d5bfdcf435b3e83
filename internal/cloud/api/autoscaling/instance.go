package autoscaling

import (
	"cmp"
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// findInstance returns an instance that a group of the region manages, and the
// group.
func findInstance(
	r store.Reader, region identity.Region, id string,
) (*store.ScalingInstance, *store.ScalingGroup, error) {
	i, ok := store.ScalingInstances.Get(r, id)
	if !ok || i.Region != region {
		return nil, nil, invalid("Instance Id not found - No managed instance found for instance ID: %s", id)
	}
	g, err := findGroup(r, region, &i.Group)
	return i, g, err
}

// findGroupInstances returns the group's instances with the given IDs. It
// refuses more than limit IDs, and IDs of instances that are not in the group.
func findGroupInstances(
	r store.Reader, g *store.ScalingGroup, ids []string, limit int,
) ([]*store.ScalingInstance, error) {
	if len(ids) == 0 {
		return nil, model.Null("instanceIds")
	}
	if len(ids) > limit {
		return nil, invalid("The number of instance ids that may be passed in is limited to %d", limit)
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

// SetInstanceHealth sets an instance's health to the result of a user's health
// check. By default, it ignores the result Unhealthy during the instance's
// grace period.
func (a *API) SetInstanceHealth(
	ctx context.Context, in *autoscaling.SetInstanceHealthInput,
) (*autoscaling.SetInstanceHealthOutput, error) {
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
		unhealthy := health == scalinggroup.Unhealthy
		if unhealthy && constraint.Default(in.ShouldRespectGracePeriod, true) && a.Now().Before(i.GraceUntil) {
			return nil
		}
		store.ScalingInstances.Edit(tx, i.InstanceID, func(i *store.ScalingInstance) {
			i.Health, i.HealthSetByUser = health, unhealthy
		})
		return nil
	})
}

// SetInstanceProtection protects instances from termination at scale-in, or
// removes their protection.
func (a *API) SetInstanceProtection(
	ctx context.Context, in *autoscaling.SetInstanceProtectionInput,
) (*autoscaling.SetInstanceProtectionOutput, error) {
	if err := model.Required("protectedFromScaleIn", in.ProtectedFromScaleIn != nil); err != nil {
		return nil, err
	}
	return &autoscaling.SetInstanceProtectionOutput{}, a.Store.Update(func(tx *store.Tx) error {
		g, err := findGroup(tx, wire.RegionFrom(ctx), in.AutoScalingGroupName)
		if err != nil {
			return err
		}
		instances, err := findGroupInstances(tx, g, in.InstanceIds, maxProtected)
		if err != nil {
			return err
		}
		for _, i := range instances {
			standby := i.State == store.LifecycleEnteringStandby || i.State == store.LifecycleStandby
			if !standby && !scalinggroup.CountsTowardCapacity(i) {
				return invalid("The instance %s is not in InService or EnteringStandby or Standby.", i.InstanceID)
			}
			store.ScalingInstances.Edit(tx, i.InstanceID, func(i *store.ScalingInstance) {
				i.Protected = *in.ProtectedFromScaleIn
			})
		}
		return nil
	})
}
