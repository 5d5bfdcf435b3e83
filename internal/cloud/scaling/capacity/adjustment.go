package capacity

import (
	"errors"
	"math"
	"slices"
	"time"

	"aloft.dev/aloft/internal/cloud/store"
)

// adjust returns the capacity after an adjustment (Step and simple scaling policies,
// Scaling adjustment types). It rounds percentages toward zero, but changes at least
// one unit of capacity and at least the policy's minimum magnitude.
func adjust(current int, policy *store.ScalingPolicy, adjustment int32) int {
	switch policy.AdjustmentType {
	case "ExactCapacity":
		return int(adjustment)
	case "PercentChangeInCapacity":
		exact := float64(current) * float64(adjustment) / 100
		step := math.Trunc(exact)
		if exact != 0 && step == 0 {
			step = math.Copysign(1, exact)
		}
		if policy.MinMagnitude != nil && adjustment != 0 {
			step = math.Copysign(max(math.Abs(step), float64(*policy.MinMagnitude)), float64(adjustment))
		}
		return current + int(step)
	}
	return current + int(adjustment)
}

// ErrNoStep is returned for a value that is in none of a policy's steps.
var ErrNoStep = errors.New("no step adjustment found for the metric value and breach threshold")

// stepFor returns the adjustment for a difference between metric and threshold. Above
// the threshold a step includes its lower bound, below it the upper one (the same
// guide).
func stepFor(steps []store.StepAdjustment, difference float64) (int32, error) {
	for _, s := range steps {
		low, high := math.Inf(-1), math.Inf(1)
		if s.Lower != nil {
			low = *s.Lower
		}
		if s.Upper != nil {
			high = *s.Upper
		}
		if difference >= 0 && difference >= low && difference < high ||
			difference < 0 && difference > low && difference <= high {
			return s.Adjustment, nil
		}
	}
	return 0, ErrNoStep
}

// aggregate combines the data points of an alarm into one value.
func aggregate(kind string, values []float64) float64 {
	switch kind {
	case "Minimum":
		return slices.Min(values)
	case "Maximum":
		return slices.Max(values)
	}
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// CooldownError is returned if an activity is in progress or the group is in its
// cooldown.
type CooldownError struct {
	Activity string // the activity in progress; empty: the cooldown has not expired
}

func (b *CooldownError) Error() string {
	if b.Activity == "" {
		return "the cooldown period has not expired"
	}
	return "Scaling activity " + b.Activity + " is in progress and blocks this action"
}

// checkCooldown returns a *CooldownError if simple scaling must wait for an activity or
// for the cooldown after it, the policy's or else the group's (Scaling cooldowns for
// Amazon EC2 Auto Scaling).
func checkCooldown(view store.Reader, group *store.ScalingGroup, policy *store.ScalingPolicy, now time.Time) error {
	for _, a := range store.OpenScalingActivitiesByGroup.List(view, group.Key()) {
		return &CooldownError{a.ID}
	}
	seconds := group.DefaultCooldown
	if policy.Cooldown != nil {
		seconds = *policy.Cooldown
	}
	if !group.LastScaling.IsZero() && now.Before(group.LastScaling.Add(time.Duration(seconds)*time.Second)) {
		return &CooldownError{}
	}
	return nil
}

// runSimple carries out a simple scaling policy.
func runSimple(tx *store.Tx, group *store.ScalingGroup, policy *store.ScalingPolicy, because string, now time.Time) {
	setDesired(tx, group, adjust(int(group.Desired), policy, policy.Adjustment), because, now)
}

// runStep carries out a step of a policy. Growth ignores instances that are warming
// up, and shrinking includes instances that are leaving, so that the group does not
// respond twice to one breach.
func runStep(
	tx *store.Tx,
	group *store.ScalingGroup,
	policy *store.ScalingPolicy,
	difference float64,
	because string,
	now time.Time,
) error {
	adjustment, err := stepFor(policy.Steps, difference)
	if err != nil {
		return err
	}
	c := takeCensus(tx, group, policyWarmup(group, policy), now)
	wanted := adjust(int(group.Desired), policy, adjustment)
	switch {
	case wanted > int(group.Desired):
		if policy.AdjustmentType != "ExactCapacity" && c.warm > 0 {
			wanted = adjust(c.warm, policy, adjustment)
		}
		if wanted > int(group.Desired) {
			setDesired(tx, group, wanted, because, now)
		}
	case wanted < int(group.Desired) && !c.growing():
		if policy.AdjustmentType != "ExactCapacity" {
			wanted = adjust(int(group.Desired)+c.leaving, policy, adjustment)
		}
		if wanted < int(group.Desired) {
			setDesired(tx, group, wanted, because, now)
		}
	}
	return nil
}
