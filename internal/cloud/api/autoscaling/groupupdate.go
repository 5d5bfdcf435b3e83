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

// UpdateAutoScalingGroup changes a group but not its instances. New sizes move a
// desired capacity that they exclude. Zones in which launches failed are tried
// again without delay.
func (a *API) UpdateAutoScalingGroup(
	ctx context.Context, in *autoscaling.UpdateAutoScalingGroupInput,
) (*autoscaling.UpdateAutoScalingGroupOutput, error) {
	if err := cmp.Or(
		model.Required("autoScalingGroupName", in.AutoScalingGroupName != nil), checkUpdateSupported(in),
	); err != nil {
		return nil, err
	}
	view := a.Store.View()
	old, ok := store.ScalingGroups.Get(view, wire.RegionFrom(ctx).Key(*in.AutoScalingGroupName))
	if !ok {
		return nil, groupNotFound()
	}
	// launch has the launch source, placement group and subnets, which EC2 checks outside the
	// transaction. The transaction copies those that the request sets.
	launch := *old
	if err := a.applyLaunchSettings(ctx, view, &launch, in); err != nil {
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
		changed.Context, changed.LaunchFailures = constraint.Default(in.Context, changed.Context), nil
		if setsLaunchSource(in) {
			if err := cmp.Or(checkNotRefreshing(tx, g, &launch), checkPoolSource(tx, &launch)); err != nil {
				return err
			}
			changed.Template, changed.Mixed, changed.Configuration = launch.Template, launch.Mixed, launch.Configuration
		}
		changed.DesiredType = launch.DesiredType
		if in.VPCZoneIdentifier != nil || len(in.AvailabilityZones)+len(in.AvailabilityZoneIds) > 0 {
			changed.SubnetIDs, changed.Zones, changed.ByZones = launch.SubnetIDs, launch.Zones, launch.ByZones
		}
		desired, err := applySizes(&changed, in)
		if err != nil {
			return err
		}
		store.ScalingGroups.Put(tx, &changed)
		scalinggroup.Weigh(tx, &changed)
		because := scalinggroup.BecauseUserSetSizes(changed.Min, changed.Max, desired)
		scalinggroup.ChangeDesired(tx, changed.Key(), desired, because, a.Now())
		return nil
	})
}

func sourceOfUpdate(in *autoscaling.UpdateAutoScalingGroupInput) launchSource {
	return launchSource{
		template: in.LaunchTemplate, mixed: in.MixedInstancesPolicy, configuration: in.LaunchConfigurationName,
	}
}

func setsLaunchSource(in *autoscaling.UpdateAutoScalingGroupInput) bool {
	return sourceOfUpdate(in).count() > 0
}

// applyLaunchSettings sets the group's launch source, placement group and subnets to those
// of an update, and checks that the group can launch instances with them.
func (a *API) applyLaunchSettings(
	ctx context.Context, r store.Reader, g *store.ScalingGroup, in *autoscaling.UpdateAutoScalingGroupInput,
) error {
	if setsLaunchSource(in) {
		if err := a.setLaunchSource(r, g, sourceOfUpdate(in)); err != nil {
			return err
		}
	}
	if err := setCapacityType(r, g, in.DesiredCapacityType); err != nil {
		return err
	}
	before := *g
	setIfGiven(&g.PlacementGroup, in.PlacementGroup)
	if err := a.setSubnets(r, g, in.VPCZoneIdentifier, in.AvailabilityZones, in.AvailabilityZoneIds); err != nil {
		return err
	}
	if setsLaunchSource(in) || g.PlacementGroup != before.PlacementGroup ||
		!slices.Equal(g.SubnetIDs, before.SubnetIDs) {
		return a.checkLaunch(ctx, g, nil)
	}
	return nil
}
