package capacity

import (
	"errors"
	"time"

	"aloft.dev/aloft/internal/cloud/alarm"
	"aloft.dev/aloft/internal/cloud/metric"
	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
)

// Policies carries out scaling policies for alarms.
type Policies struct{ Metrics *metric.Store }

// Execute carries out the policy with the ARN for an alarm. It fails before it has
// changed anything. A group that ignores alarms or has reached a bound stays as it is;
// that is not an error.
func (p Policies) Execute(tx *store.Tx, action string, f alarm.Firing) error {
	policy, ok := store.ScalingPolicies.Get(tx, action)
	if !ok {
		return errors.New("the scaling policy does not exist")
	}
	group, ok := store.ScalingGroups.Get(tx, policy.Region.Key(policy.Group))
	if !ok {
		return errors.New("the Auto Scaling group does not exist")
	}
	if policy.Disabled || group.Deleting || scalinggroup.Suspended(group, scalinggroup.AlarmNotification) {
		return nil
	}
	because := scalinggroup.BecauseOfAlarm(f.Alarm.Name, f.Alarm.State, policy.Name)
	switch {
	case policy.Type == Simple:
		if checkCooldown(tx, group, policy, f.At) == nil {
			runSimple(tx, group, policy, because, f.At)
		}
		return nil
	case len(f.Values) == 0:
		return errors.New("the alarm's metric has no data point to scale by")
	case policy.Type == Step:
		return runStep(tx, group, policy, aggregate(policy.Aggregation, f.Values)-f.Alarm.Threshold, because, f.At)
	}
	return p.track(tx, group, policy, f, because)
}

// ExecuteForUser carries out a simple or step scaling policy for a user. It
// returns a *Blocked when the user respects cooldowns and the group is not ready,
// and ErrNoStep.
func ExecuteForUser(
	tx *store.Tx,
	group *store.ScalingGroup,
	policy *store.ScalingPolicy,
	difference float64,
	honor bool,
	now time.Time,
) error {
	because := scalinggroup.BecauseUserExecuted(policy.Name)
	if policy.Type == Step {
		return runStep(tx, group, policy, difference, because, now)
	}
	if honor {
		if err := checkCooldown(tx, group, policy, now); err != nil {
			return err
		}
	}
	runSimple(tx, group, policy, because, now)
	return nil
}
