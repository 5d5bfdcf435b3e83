// Package scalinggroup holds the rules of an Auto Scaling group that its API and its
// loops share: how its desired capacity changes, how an instance leaves or is
// replaced, which instances count, and what activities say.
//
// Its functions change rows in a transaction of the store. The scaling loop sees the
// change and acts.
package scalinggroup

import (
	"slices"
	"time"

	"aloft.dev/aloft/internal/cloud/alarm"
	"aloft.dev/aloft/internal/cloud/store"
)

// TagKey is the tag that AWS puts on every instance of a group: the group's name.
const TagKey = "aws:autoscaling:groupName"

// ChangeDesired sets the desired capacity of the group with the key and reports
// whether it changed. The scaling loop launches or terminates instances for the
// difference, and their activities begin with causeDesiredChanged. The caller keeps
// the number within the group's bounds.
func ChangeDesired(tx *store.Tx, key string, to int32, because string, now time.Time) bool {
	old, ok := store.ScalingGroups.Get(tx, key)
	if !ok || old.Desired == to {
		return false
	}
	return store.ScalingGroups.Edit(tx, key, func(g *store.ScalingGroup) {
		g.Desired = to
		g.CapacityCauses = append(slices.Clip(old.CapacityCauses), causeDesiredChanged(now, because, old.Desired, to))
	})
}

// Warmup returns how long an instance warms up after it enters service: the default
// instance warm-up, or zero if none is set.
func Warmup(g *store.ScalingGroup) time.Duration {
	if g.DefaultWarmup == nil {
		return 0
	}
	return time.Duration(*g.DefaultWarmup) * time.Second
}

// InCooldown reports whether the group is in a cooldown of some seconds: a scaling
// activity is in progress, or the last one ended less long ago (Amazon EC2 Auto
// Scaling User Guide, Scaling cooldowns).
func InCooldown(r store.Reader, g *store.ScalingGroup, seconds int32, now time.Time) bool {
	return slices.ContainsFunc(
		store.OpenScalingActivitiesByGroup.List(r, g.Key()),
		func(a *store.ScalingActivity) bool { return !OfWarmPool(a) },
	) || now.Before(g.LastScaling.Add(time.Duration(seconds)*time.Second))
}

// Delete deletes the group with the key and what belongs to it: hooks, notifications, its
// warm pool, policies with their alarms, scheduled actions and refreshes. It keeps the activities.
func Delete(tx *store.Tx, key string, now time.Time) {
	for _, h := range store.LifecycleHooksByGroup.List(tx, key) {
		store.LifecycleHooks.Delete(tx, h.Region.Key(h.Group)+"/"+h.Name)
	}
	store.WarmPools.Delete(tx, key)
	for _, n := range store.ScalingNotificationsByGroup.List(tx, key) {
		store.ScalingNotifications.Delete(tx, n.Key())
	}
	for _, p := range store.ScalingPoliciesByGroup.List(tx, key) {
		DeletePolicy(tx, p, now)
	}
	for _, a := range store.ScheduledActionsByGroup.List(tx, key) {
		store.ScheduledActions.Delete(tx, a.ARN)
	}
	for _, r := range store.InstanceRefreshesByGroup.List(tx, key) {
		store.InstanceRefreshes.Delete(tx, r.ID)
	}
	store.ScalingGroups.Delete(tx, key)
}

// DeletePolicy deletes a policy and the alarms that it owns.
func DeletePolicy(tx *store.Tx, policy *store.ScalingPolicy, now time.Time) {
	DeletePolicyAlarms(tx, policy, now)
	store.ScalingPolicies.Delete(tx, policy.ARN)
}

// DeletePolicyAlarms deletes the alarms that a policy owns. Their history stays, as
// that of every deleted alarm (Amazon CloudWatch API Reference,
// DescribeAlarmHistory).
func DeletePolicyAlarms(tx *store.Tx, policy *store.ScalingPolicy, now time.Time) {
	for _, name := range policy.Alarms {
		if row, ok := store.Alarms.Get(tx, alarm.ARN(policy.Region, name)); ok {
			alarm.Delete(tx, row, now)
		}
	}
}
