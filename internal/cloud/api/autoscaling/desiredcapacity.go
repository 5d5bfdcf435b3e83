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

// SetDesiredCapacity changes how many instances a group has.
func (a *API) SetDesiredCapacity(ctx context.Context, in *autoscaling.SetDesiredCapacityInput) (*autoscaling.SetDesiredCapacityOutput, error) {
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
				"ScalingActivityInProgress",
				"The Auto Scaling group %s is in cooldown: a scaling activity is in progress, or its cooldown has not passed",
				g.Name,
			)
		}
		scalinggroup.ChangeDesired(
			tx, g.Key(), *in.DesiredCapacity, scalinggroup.BecauseUserSetCapacity, a.Now(),
		)
		return nil
	})
}

// checkSizes refuses sizes that do not fit together.
func checkSizes(least, most, desired int32) error {
	switch {
	case least < 0:
		return model.Between("minSize", &least, 0, maxCapacity)
	case most < 0:
		return model.Between("maxSize", &most, 0, maxCapacity)
	case most < least:
		return invalid("Max bound, %d, must be greater than or equal to min bound, %d", most, least)
	case desired < least || desired > most:
		return invalid(
			"Desired capacity:%d must be between the specified min size:%d and max size:%d", desired, least, most,
		)
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

// checkCapacityChange refuses to move the desired capacity out of the group's sizes.
func checkCapacityChange(g *store.ScalingGroup, by int, doing string) error {
	desired := int(g.Desired) + by
	if int(g.Min) <= desired && desired <= int(g.Max) {
		return nil
	}
	n := max(by, -by)
	what := "1 instance"
	if n != 1 {
		what = fmt.Sprintf("%d instances", n)
	}
	return invalid(
		"AutoScalingGroup %s has min-size=%d, max-size=%d, and desired-size=%d. To %s %s, please update the AutoScalingGroup sizes appropriately.",
		g.Name,
		g.Min,
		g.Max,
		g.Desired,
		doing,
		what,
	)
}

// changeDesired moves the desired capacity with instances that a user takes or gives,
// and returns what the activity says of it.
func (a *API) changeDesired(tx *store.Tx, g *store.ScalingGroup, by int32) string {
	row, _ := store.ScalingGroups.Get(tx, g.Key())
	before := row.Desired
	store.ScalingGroups.Edit(tx, g.Key(), func(g *store.ScalingGroup) { g.Desired += by })
	if by < 0 {
		return scalinggroup.SuffixShrunk(before, before+by)
	}
	return scalinggroup.SuffixGrown(before, before+by)
}
