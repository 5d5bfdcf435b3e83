package autoscaling

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
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
	old, ok := store.ScalingGroups.Get(view, region(ctx)+"/"+*in.AutoScalingGroupName)
	if !ok {
		return nil, invalid("AutoScalingGroup name not found - null")
	}
	row := *old // as it will be; what this request does not set is taken from the row of the moment
	if err := a.applyLaunchSettings(view, &row, in); err != nil {
		return nil, err
	}
	return &autoscaling.UpdateAutoScalingGroupOutput{}, a.Store.Update(func(tx *store.Tx) error {
		g, err := findActiveGroup(tx, region(ctx), in.AutoScalingGroupName)
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
		scalinggroup.ChangeDesired(tx, changed.Key(), desired, constraintsReason(changed.Min, changed.Max, desired), a.Now())
		return nil
	})
}

// constraintsReason is how an activity tells of an update of sizes.
func constraintsReason(least, most, desired int32) string {
	return fmt.Sprintf(
		"a user request update of AutoScalingGroup constraints to min: %d, max: %d, desired: %d", least, most, desired,
	)
}

func checkUpdateSupported(in *autoscaling.UpdateAutoScalingGroupInput) error {
	switch {
	case in.LaunchConfigurationName != nil:
		return wire.NotImplemented("launch configurations; name a launch template (LaunchConfigurationName)")
	case aws.ToString(in.PlacementGroup) != "":
		return wire.NotImplemented("placement groups (PlacementGroup)")
	case in.InstanceLifecyclePolicy != nil:
		return wire.NotImplemented("instance lifecycle policies (InstanceLifecyclePolicy)")
	}
	return cmp.Or(checkReservations(in.CapacityReservationSpecification), checkCapacityType(in.DesiredCapacityType))
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

// applySizes applies the sizes and gives the desired capacity. One that was not
// given follows a bound that it is outside of (Amazon EC2 Auto Scaling API
// Reference, UpdateAutoScalingGroup).
func applySizes(g *store.ScalingGroup, in *autoscaling.UpdateAutoScalingGroupInput) (desired int32, err error) {
	g.Min, g.Max = constraint.Default(in.MinSize, g.Min), constraint.Default(in.MaxSize, g.Max)
	desired = g.Desired
	if in.DesiredCapacity != nil {
		desired = *in.DesiredCapacity
	} else {
		desired = min(max(desired, g.Min), g.Max)
	}
	return desired, checkSizes(g.Min, g.Max, desired)
}

// SetDesiredCapacity changes how many instances a group has.
func (a *API) SetDesiredCapacity(ctx context.Context, in *autoscaling.SetDesiredCapacityInput) (*autoscaling.SetDesiredCapacityOutput, error) {
	if err := model.Required("desiredCapacity", in.DesiredCapacity != nil); err != nil {
		return nil, err
	}
	return &autoscaling.SetDesiredCapacityOutput{}, a.Store.Update(func(tx *store.Tx) error {
		g, err := findActiveGroup(tx, region(ctx), in.AutoScalingGroupName)
		if err != nil {
			return err
		}
		switch n := *in.DesiredCapacity; {
		case n > g.Max:
			return invalid("New SetDesiredCapacity value %d is above max value %d for the AutoScalingGroup.", n, g.Max)
		case n < g.Min:
			return invalid("New SetDesiredCapacity value %d is below min value %d for the AutoScalingGroup.", n, g.Min)
		}
		if aws.ToBool(in.HonorCooldown) && scalinggroup.InCooldown(tx, g, g.DefaultCooldown, a.Now()) {
			return wire.Errorf(
				"ScalingActivityInProgress",
				"The Auto Scaling group %s is in cooldown: a scaling activity is in progress, or its cooldown has not passed",
				g.Name,
			)
		}
		scalinggroup.ChangeDesired(
			tx, g.Key(), *in.DesiredCapacity, "a user request explicitly set group desired capacity", a.Now(),
		)
		return nil
	})
}

// DeleteAutoScalingGroup deletes a group that has no instances, or, forced, lets
// it go with them: it is told as being deleted until the last one is gone.
func (a *API) DeleteAutoScalingGroup(ctx context.Context, in *autoscaling.DeleteAutoScalingGroupInput) (*autoscaling.DeleteAutoScalingGroupOutput, error) {
	force := aws.ToBool(in.ForceDelete)
	return &autoscaling.DeleteAutoScalingGroupOutput{}, a.Store.Update(func(tx *store.Tx) error {
		g, err := findGroup(tx, region(ctx), in.AutoScalingGroupName)
		if err != nil {
			return err
		}
		switch {
		case g.DeletionProtection == "prevent-all-deletion", g.DeletionProtection == "prevent-force-deletion" && force:
			return invalid(
				"The Auto Scaling group %s cannot be deleted because its deletion protection is %s",
				g.Name,
				g.DeletionProtection,
			)
		case len(scalinggroup.Instances(tx, g.Key())) > 0 && !force:
			return wire.Errorf(
				"ResourceInUse",
				"You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) still in the group.",
			)
		case len(store.ScalingActivities.By(tx, "open", g.Key())) > 0 && !force:
			return wire.Errorf(
				"ScalingActivityInProgress",
				"You cannot delete an AutoScalingGroup while there are scaling activities in progress for that group.",
			)
		case len(scalinggroup.Instances(tx, g.Key()))+len(store.ScalingActivities.By(tx, "open", g.Key())) == 0:
			scalinggroup.Delete(tx, g.Key())
			return nil
		}
		scalinggroup.ChangeDesired(tx, g.Key(), 0, constraintsReason(0, 0, 0), a.Now())
		store.ScalingGroups.Edit(tx, g.Key(), func(g *store.ScalingGroup) { g.Min, g.Max, g.Deleting = 0, 0, true })
		return nil
	})
}
