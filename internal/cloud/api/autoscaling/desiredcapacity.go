package autoscaling

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// SetDesiredCapacity sets how many instances a group should have.
func (a *API) SetDesiredCapacity(
	ctx context.Context, in *autoscaling.SetDesiredCapacityInput,
) (*autoscaling.SetDesiredCapacityOutput, error) {
	if err := model.Required("desiredCapacity", in.DesiredCapacity != nil); err != nil {
		return nil, err
	}
	return &autoscaling.SetDesiredCapacityOutput{}, a.Store.Update(func(tx *store.Tx) error {
		g, err := findActiveGroup(tx, wire.RegionFrom(ctx), in.AutoScalingGroupName)
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
				"ScalingActivityInProgress", "The Auto Scaling group %s is in cooldown: a scaling activity is in "+
					"progress, or its cooldown has not passed", g.Name,
			)
		}
		scalinggroup.ChangeDesired(tx, g.Key(), *in.DesiredCapacity, scalinggroup.BecauseUserSetCapacity, a.Now())
		return nil
	})
}

// checkSizes checks that a group's sizes are in order: minimum, desired, maximum.
func checkSizes(minSize, maxSize, desired int32) error {
	switch {
	case minSize < 0:
		return model.Between("minSize", &minSize, 0, maxCapacity)
	case maxSize < 0:
		return model.Between("maxSize", &maxSize, 0, maxCapacity)
	case maxSize < minSize:
		return invalid("Max bound, %d, must be greater than or equal to min bound, %d", maxSize, minSize)
	case desired < minSize || desired > maxSize:
		return invalid("Desired capacity:%d must be between the specified min size:%d and max size:%d",
			desired, minSize, maxSize)
	}
	return nil
}

// applySizes sets the group's minimum and maximum to those of an update, and
// returns the desired capacity. Without one in the update, the group's own is
// moved to the bound that it violates (Amazon EC2 Auto Scaling API Reference,
// UpdateAutoScalingGroup).
func applySizes(g *store.ScalingGroup, in *autoscaling.UpdateAutoScalingGroupInput) (desired int32, err error) {
	g.Min, g.Max = constraint.Default(in.MinSize, g.Min), constraint.Default(in.MaxSize, g.Max)
	if in.DesiredCapacity != nil {
		desired = *in.DesiredCapacity
	} else {
		desired = min(max(g.Desired, g.Min), g.Max)
	}
	return desired, checkSizes(g.Min, g.Max, desired)
}

// checkDesiredChange checks that the desired capacity stays within the group's
// sizes if units of capacity are added to it. action is what the request does to so many
// instances, for the error.
func checkDesiredChange(g *store.ScalingGroup, units int, action string, count int) error {
	desired := int(g.Desired) + units
	if int(g.Min) <= desired && desired <= int(g.Max) {
		return nil
	}
	instances := "1 instance"
	if count != 1 {
		instances = fmt.Sprintf("%d instances", count)
	}
	return invalid("AutoScalingGroup %s has min-size=%d, max-size=%d, and desired-size=%d. To %s %s, please update "+
		"the AutoScalingGroup sizes appropriately.", g.Name, g.Min, g.Max, g.Desired, action, instances)
}

// addToDesired changes the desired capacity by the units of the instance that a user adds
// or removes. It returns the end of the activity's cause.
func addToDesired(tx *store.Tx, g *store.ScalingGroup, units int) (suffix string) {
	row, _ := store.ScalingGroups.Get(tx, g.Key())
	n := int32(units)
	before := row.Desired
	store.ScalingGroups.Edit(tx, g.Key(), func(g *store.ScalingGroup) { g.Desired += n })
	if n < 0 {
		return scalinggroup.SuffixShrunk(before, before+n)
	}
	return scalinggroup.SuffixGrown(before, before+n)
}
