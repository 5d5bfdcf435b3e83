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

// UpdateAutoScalingGroup changes a group. Instances that are there stay as they
// are; a size that the desired capacity does not fit moves it. Zones in which
// launches failed are tried again at once.
func (a *API) UpdateAutoScalingGroup(ctx context.Context, in *autoscaling.UpdateAutoScalingGroupInput) (*autoscaling.UpdateAutoScalingGroupOutput, error) {
	if err := cmp.Or(
		model.Required("autoScalingGroupName", in.AutoScalingGroupName != nil), checkUpdateSupported(in),
	); err != nil {
		return nil, err
	}
	view := a.Store.View()
	old, ok := store.ScalingGroups.Get(view, wire.RegionFrom(ctx)+"/"+*in.AutoScalingGroupName)
	if !ok {
		return nil, invalid("AutoScalingGroup name not found - null")
	}
	row := *old // as it will be; what this request does not set is taken from the row of the moment
	if err := a.applyLaunchSettings(view, &row, in); err != nil {
		return nil, err
	}
	return &autoscaling.UpdateAutoScalingGroupOutput{}, a.Store.Update(func(tx *store.Tx) error {
		g, err := findActiveGroup(tx, wire.RegionFrom(ctx), in.AutoScalingGroupName)
		if err != nil {
			return err
		}
		changed := *g
		if err := updateSettings(in).apply(&changed); err != nil {
			return err
		}
		changed.Context, changed.Troubles = constraint.Default(in.Context, changed.Context), nil
		if in.LaunchTemplate != nil || in.MixedInstancesPolicy != nil {
			if err := checkNotRefreshing(tx, g, &row); err != nil {
				return err
			}
			changed.Template, changed.Mixed = row.Template, row.Mixed
		}
		if in.VPCZoneIdentifier != nil || len(in.AvailabilityZones)+len(in.AvailabilityZoneIds) > 0 {
			changed.SubnetIDs, changed.Zones, changed.ByZones = row.SubnetIDs, row.Zones, row.ByZones
		}
		desired, err := applySizes(&changed, in)
		if err != nil {
			return err
		}
		store.ScalingGroups.Put(tx, &changed)
		scalinggroup.ChangeDesired(tx, changed.Key(), desired, scalinggroup.BecauseUserSetSizes(changed.Min, changed.Max, desired), a.Now())
		return nil
	})
}

// applyLaunchSettings applies to the row what needs more than the row to be checked.
func (a *API) applyLaunchSettings(r store.Reader, row *store.ScalingGroup, in *autoscaling.UpdateAutoScalingGroupInput) error {
	if in.LaunchTemplate != nil || in.MixedInstancesPolicy != nil {
		if err := a.setLaunchSource(row, in.LaunchTemplate, in.MixedInstancesPolicy); err != nil {
			return err
		}
	}
	before := row.SubnetIDs
	if err := a.setSubnets(r, row, in.VPCZoneIdentifier, in.AvailabilityZones, in.AvailabilityZoneIds); err != nil {
		return err
	}
	if in.LaunchTemplate != nil || in.MixedInstancesPolicy != nil || !slices.Equal(before, row.SubnetIDs) {
		return a.checkLaunch(row)
	}
	return nil
}
