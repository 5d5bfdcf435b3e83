// Package capacity is how much an Auto Scaling group is to hold and why: what its
// policies make of alarms, what its schedule says, and which of its instances
// count. It changes the group's desired capacity and writes down the cause; the
// scaling loop launches and ends instances. Facts: Amazon EC2 Auto Scaling User
// Guide.
package capacity

import (
	"strings"
	"time"

	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
)

// GroupMetrics are the metrics that a group can have collected (Amazon EC2 Auto
// Scaling API Reference, EnableMetricsCollection).
var GroupMetrics = []string{
	"GroupMinSize", "GroupMaxSize", "GroupDesiredCapacity", "GroupInServiceInstances", "GroupPendingInstances", "GroupStandbyInstances",
	"GroupTerminatingInstances", "GroupTotalInstances", "GroupInServiceCapacity", "GroupPendingCapacity", "GroupStandbyCapacity",
	"GroupTerminatingCapacity", "GroupTotalCapacity", "WarmPoolDesiredCapacity", "WarmPoolWarmedCapacity", "WarmPoolPendingCapacity",
	"WarmPoolTerminatingCapacity", "WarmPoolTotalCapacity", "GroupAndWarmPoolDesiredCapacity", "GroupAndWarmPoolTotalCapacity",
}

// Types of policies.
const (
	Simple   = "SimpleScaling"
	Step     = "StepScaling"
	Tracking = "TargetTrackingScaling"
)

// PolicyWarmup is how long a new instance takes until a policy counts it: the
// policy's own time, else the group's default warm-up, else its default cooldown
// (PutScalingPolicy, EstimatedInstanceWarmup).
func PolicyWarmup(group *store.ScalingGroup, policy *store.ScalingPolicy) time.Duration {
	seconds := group.DefaultCooldown
	switch {
	case policy.Warmup != nil:
		seconds = *policy.Warmup
	case group.DefaultWarmup != nil:
		seconds = *group.DefaultWarmup
	}
	return time.Duration(seconds) * time.Second
}

// CountsInMetrics tells whether an instance counts in its group's metrics: it is in service
// and, where the group has a default warm-up, warm (Set the default instance warmup
// for an Auto Scaling group).
func CountsInMetrics(view store.Reader, member *store.ScalingInstance, now time.Time) bool {
	group, ok := store.ScalingGroups.Get(view, member.GroupKey())
	return ok && scalinggroup.WarmedUp(member, scalinggroup.Warmup(group), now)
}

// groupCensus is what a group consists of at a moment.
type groupCensus struct {
	inService int
	settled   int // of those in service, warm
	starting  int // on their way into service, or not warm yet
	leaving   int
}

func takeCensus(view store.Reader, group *store.ScalingGroup, warmup time.Duration, now time.Time) (c groupCensus) {
	for _, m := range scalinggroup.Instances(view, group.Key()) {
		switch {
		case strings.HasPrefix(m.State, store.LifecycleTerminating):
			c.leaving++
		case strings.HasPrefix(m.State, store.LifecyclePending):
			c.starting++
		case m.State == store.LifecycleInService:
			c.inService++
			if scalinggroup.WarmedUp(m, warmup, now) {
				c.settled++
			} else {
				c.starting++
			}
		}
	}
	for _, a := range store.ScalingActivities.By(view, "open", group.Key()) {
		if a.InstanceID == "" {
			c.starting++
		}
	}
	return c
}

// growing tells whether the group is about to have more: it does not shrink
// meanwhile (Step and simple scaling policies: a scale-in activity can't start while
// a scale-out activity is in progress).
func (c groupCensus) growing() bool { return c.starting > 0 }

// setDesired changes the desired capacity, within the group's bounds.
func setDesired(tx *store.Tx, group *store.ScalingGroup, desired int, because string, now time.Time) {
	to := min(max(int64(desired), int64(group.Min)), int64(group.Max))
	scalinggroup.ChangeDesired(tx, group.Key(), int32(to), because, now)
}
