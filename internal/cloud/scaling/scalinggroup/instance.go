package scalinggroup

import (
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/scaling/announcement"
	"aloft.dev/aloft/internal/cloud/store"
)

// Health of an instance.
const (
	Healthy   = "Healthy"
	Unhealthy = "Unhealthy"
)

// Instances returns the instances of the group with the key, including those in
// standby and those that are leaving.
func Instances(r store.Reader, key string) []*store.ScalingInstance {
	return store.ScalingInstancesByGroup.List(r, key)
}

// CountsTowardCapacity reports whether the instance is part of the group's capacity:
// it is launching or in service, and is neither in standby nor leaving.
func CountsTowardCapacity(i *store.ScalingInstance) bool {
	switch i.State {
	case store.LifecyclePending, store.LifecyclePendingWait, store.LifecyclePendingProceed, store.LifecycleInService:
		return true
	}
	return false
}

// Leaving reports whether the instance is leaving the group.
func Leaving(i *store.ScalingInstance) bool {
	switch i.State {
	case store.LifecycleTerminating, store.LifecycleTerminatingWait, store.LifecycleTerminatingProceed,
		store.LifecycleWarmedTerminating, store.LifecycleWarmedTerminatingWait,
		store.LifecycleWarmedTerminatingProceed, store.LifecycleDetaching:
		return true
	}
	return false
}

// TargetLifecycleState returns the lifecycle state that the instance is in or on its
// way to. The metadata service shows it to the instance, which learns from it that a
// hook waits (Amazon EC2 Auto Scaling User Guide, Retrieve the target lifecycle state
// through instance metadata).
func TargetLifecycleState(i *store.ScalingInstance) string {
	switch i.State {
	case store.LifecycleTerminating, store.LifecycleTerminatingWait, store.LifecycleTerminatingProceed:
		if i.ToPool {
			return warmed + i.PoolState
		}
		return store.LifecycleTerminated
	case store.LifecycleWarmedPending, store.LifecycleWarmedPendingWait, store.LifecycleWarmedPendingProceed,
		store.LifecycleWarmedStopped, store.LifecycleWarmedRunning:
		return warmed + i.PoolState
	case store.LifecycleWarmedTerminating, store.LifecycleWarmedTerminatingWait,
		store.LifecycleWarmedTerminatingProceed:
		return store.LifecycleWarmedTerminated
	case store.LifecycleDetaching:
		return store.LifecycleDetached
	case store.LifecycleEnteringStandby, store.LifecycleStandby:
		return store.LifecycleStandby
	}
	return store.LifecycleInService
}

// WarmedUp reports whether the instance is in service and has been for at least the
// warm-up time.
func WarmedUp(i *store.ScalingInstance, warmup time.Duration, now time.Time) bool {
	return i.State == store.LifecycleInService && !now.Before(i.InServiceSince.Add(warmup))
}

// SetLifecycleState sets the instance's lifecycle state and the time of the change.
func SetLifecycleState(i *store.ScalingInstance, state string, now time.Time) {
	i.State, i.StateSince = state, now.UTC()
}

// TakeOutOfService starts the termination of the instance with the id: it leaves its
// target groups, passes its termination hooks and is terminated. reason is one of the
// Reason constants. successor is the reason of the launch that replaces it, or empty
// if none does. The desired capacity does not change. TakeOutOfService reports
// whether the instance was in a state from which it can leave.
func TakeOutOfService(tx *store.Tx, ids *identity.Source, id, reason, successor string, now time.Time) bool {
	i, ok := store.ScalingInstances.Get(tx, id)
	if !ok || !CountsTowardCapacity(i) && i.State != store.LifecycleStandby {
		return false
	}
	cause := CauseTakenOut(now, reason)
	if reason == ReasonInstanceRefresh {
		cause += "  " + CauseSelected(now, id)
	}
	BeginTermination(tx, ids, id, cause, successor, now)
	return true
}

// BeginTermination moves the instance to Terminating and returns the activity that it
// begins. It cancels the activity that the instance was in.
func BeginTermination(
	tx *store.Tx, ids *identity.Source, id, cause, successor string, now time.Time,
) *store.ScalingActivity {
	i, _ := store.ScalingInstances.Get(tx, id)
	EndActivity(tx, ids, i.ActivityID, Cancelled, "", now)
	activity := BeginActivity(tx, ids, i, describeTermination+": "+id, cause, now)
	state := store.LifecycleTerminating
	if InWarmPool(i) {
		state = store.LifecycleWarmedTerminating
		store.ScalingActivities.Edit(tx, activity.ID, func(a *store.ScalingActivity) {
			a.Origin, a.Destination = announcement.WarmPool, announcement.Compute
		})
	}
	store.ScalingInstances.Edit(tx, id, func(i *store.ScalingInstance) {
		SetLifecycleState(i, state, now)
		i.ActivityID, i.ReplacementCause, i.ReplaceCause, i.Surplus = activity.ID, successor, "", false
		i.Waits, i.FromPool = nil, false
	})
	return activity
}

// MarkForReplacement makes the group launch a replacement before the instance with
// the id leaves: the group grows beyond its desired capacity by one, and the instance
// leaves when all desired instances are in service and warm without it. reason and
// successor are as in TakeOutOfService. MarkForReplacement reports whether the
// instance is in service, as it must be.
func MarkForReplacement(tx *store.Tx, id, reason, successor string) bool {
	i, ok := store.ScalingInstances.Get(tx, id)
	if !ok || i.State != store.LifecycleInService {
		return false
	}
	return store.ScalingInstances.Edit(tx, id, func(i *store.ScalingInstance) {
		i.ReplaceCause, i.ReplacementCause = reason, successor
	})
}
