// Package capacity computes the desired capacity of an Auto Scaling group from its
// policies, their alarms and its schedule. It changes the desired capacity and records
// the cause; the scaling loop launches and terminates instances. Facts are from the
// Amazon EC2 Auto Scaling User Guide.
package capacity

import (
	"strings"
	"time"

	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
)

// GroupMetrics are the metrics that a group can collect (Amazon EC2 Auto Scaling API
// Reference, EnableMetricsCollection).
var GroupMetrics = []string{
	"GroupMinSize", "GroupMaxSize", "GroupDesiredCapacity", "GroupInServiceInstances", "GroupPendingInstances",
	"GroupStandbyInstances",
	"GroupTerminatingInstances", "GroupTotalInstances", "GroupInServiceCapacity", "GroupPendingCapacity",
	"GroupStandbyCapacity",
	"GroupTerminatingCapacity", "GroupTotalCapacity", "WarmPoolDesiredCapacity", "WarmPoolWarmedCapacity",
	"WarmPoolPendingCapacity",
	"WarmPoolTerminatingCapacity", "WarmPoolTotalCapacity", "GroupAndWarmPoolDesiredCapacity",
	"GroupAndWarmPoolTotalCapacity",
}

// Types of policies.
const (
	Simple   = "SimpleScaling"
	Step     = "StepScaling"
	Tracking = "TargetTrackingScaling"
)

// policyWarmup returns how long a new instance warms up before a policy counts it: the
// policy's own time, else the group's default warm-up, else its default cooldown
// (PutScalingPolicy, EstimatedInstanceWarmup).
func policyWarmup(group *store.ScalingGroup, policy *store.ScalingPolicy) time.Duration {
	seconds := group.DefaultCooldown
	switch {
	case policy.Warmup != nil:
		seconds = *policy.Warmup
	case group.DefaultWarmup != nil:
		seconds = *group.DefaultWarmup
	}
	return time.Duration(seconds) * time.Second
}

// CountsInMetrics reports whether an instance counts in its group's metrics: it is in
// service and, if the group has a default warm-up, warm (Set the default instance
// warmup for an Auto Scaling group).
func CountsInMetrics(view store.Reader, member *store.ScalingInstance, now time.Time) bool {
	group, ok := store.ScalingGroups.Get(view, member.GroupKey())
	return ok && scalinggroup.WarmedUp(member, scalinggroup.Warmup(group), now)
}

// groupCensus counts the units of capacity of a group's instances by state.
type groupCensus struct {
	inService int
	warm      int // in service and warm
	starting  int // launching, or in service and not warm yet
	leaving   int
}

func takeCensus(view store.Reader, group *store.ScalingGroup, warmup time.Duration, now time.Time) (c groupCensus) {
	for _, m := range scalinggroup.Instances(view, group.Key()) {
		units := scalinggroup.Units(m)
		switch {
		case strings.HasPrefix(m.State, store.LifecycleTerminating):
			c.leaving += units
		case strings.HasPrefix(m.State, store.LifecyclePending):
			c.starting += units
		case m.State == store.LifecycleInService:
			c.inService += units
			if scalinggroup.WarmedUp(m, warmup, now) {
				c.warm += units
			} else {
				c.starting += units
			}
		}
	}
	for _, a := range store.OpenScalingActivitiesByGroup.List(view, group.Key()) {
		if a.InstanceID == "" && !scalinggroup.OfWarmPool(a) {
			c.starting++
		}
	}
	return c
}

// growing reports whether the group is about to grow. It does not shrink then (Step and
// simple scaling policies: a scale-in activity can't start while a scale-out activity
// is in progress).
func (c groupCensus) growing() bool { return c.starting > 0 }

// setDesired changes the desired capacity within the group's bounds.
func setDesired(tx *store.Tx, group *store.ScalingGroup, desired int, because string, now time.Time) {
	to := min(max(int64(desired), int64(group.Min)), int64(group.Max))
	scalinggroup.ChangeDesired(tx, group.Key(), int32(to), because, now)
}
