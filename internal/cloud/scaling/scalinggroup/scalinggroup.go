// Package scalinggroup is what the Auto Scaling API and its loops both know of
// a group: how its desired capacity changes, how an instance is sent away or
// replaced, which instances count, and how activities tell of it all.
//
// Everything here works on rows in a transaction of the store; the scaling loop
// sees the change and acts. The words of activities are those that AWS's have
// (Amazon EC2 Auto Scaling User Guide, Verify a scaling activity for an Auto
// Scaling group; the API Reference's and the command line's examples).
package scalinggroup

import (
	"fmt"
	"slices"
	"time"

	"aloft.dev/aloft/internal/cloud/store"
)

// Processes of a group (Amazon EC2 Auto Scaling API Reference,
// SuspendProcesses).
const (
	AddToLoadBalancer = "AddToLoadBalancer"
	AlarmNotification = "AlarmNotification"
	AZRebalance       = "AZRebalance"
	HealthCheck       = "HealthCheck"
	InstanceRefresh   = "InstanceRefresh"
	Launch            = "Launch"
	ReplaceUnhealthy  = "ReplaceUnhealthy"
	ScheduledActions  = "ScheduledActions"
	Terminate         = "Terminate"
)

// Transitions that a lifecycle hook can hold up, and how it can end.
const (
	Launching   = "autoscaling:EC2_INSTANCE_LAUNCHING"
	Terminating = "autoscaling:EC2_INSTANCE_TERMINATING"
	Continue    = "CONTINUE"
	Abandon     = "ABANDON"
)

// What an instance's health can be.
const (
	Healthy   = "Healthy"
	Unhealthy = "Unhealthy"
)

// Processes lists them in the order of the alphabet, as AWS does.
func Processes() []string {
	return []string{
		AddToLoadBalancer,
		AlarmNotification,
		AZRebalance,
		HealthCheck,
		InstanceRefresh,
		Launch,
		ReplaceUnhealthy,
		ScheduledActions,
		Terminate,
	}
}

// Suspended tells whether a process of the group does not run.
func Suspended(g *store.ScalingGroup, process string) bool {
	return slices.ContainsFunc(g.Suspended, func(s store.SuspendedProcess) bool { return s.Name == process })
}

// ChangeDesired sets the desired capacity of the group with the key and tells
// whether it changed. The loop launches or ends instances for the difference,
// and its activities begin with the sentence "At … <because> changing the
// desired capacity from … to ….". The caller keeps the number within the
// group's bounds.
//
// Such as: "a user request explicitly set group desired capacity"; "a monitor
// alarm A in state ALARM triggered policy P"; "a scheduled action update of
// AutoScalingGroup constraints to min: 1, max: 5, desired: 2".
func ChangeDesired(tx *store.Tx, key string, to int32, because string, now time.Time) bool {
	old, ok := store.ScalingGroups.Get(tx, key)
	if !ok || old.Desired == to {
		return false
	}
	return store.ScalingGroups.Edit(tx, key, func(g *store.ScalingGroup) {
		g.Desired = to
		g.Causes = append(
			slices.Clip(old.Causes),
			CauseSentence(now, "%s changing the desired capacity from %d to %d", because, old.Desired, to),
		)
	})
}

// CauseSentence is one sentence of an activity's cause.
func CauseSentence(at time.Time, format string, args ...any) string {
	return "At " + at.UTC().Format("2006-01-02T15:04:05Z") + " " + fmt.Sprintf(format, args...) + "."
}

// Instances of the group with the key, those in standby and on their way out
// among them.
func Instances(r store.Reader, key string) []*store.ScalingInstance {
	return store.ScalingInstances.By(r, "group", key)
}

// CountsTowardCapacity tells whether the instance is part of the group's capacity: it is
// launched or serves, and is neither in standby nor on its way out.
func CountsTowardCapacity(i *store.ScalingInstance) bool {
	switch i.State {
	case store.LifecyclePending, store.LifecyclePendingWait, store.LifecyclePendingProceed, store.LifecycleInService:
		return true
	}
	return false
}

// Leaving tells whether the instance is on its way out of the group.
func Leaving(i *store.ScalingInstance) bool {
	switch i.State {
	case store.LifecycleTerminating,
		store.LifecycleTerminatingWait,
		store.LifecycleTerminatingProceed,
		store.LifecycleDetaching:
		return true
	}
	return false
}

// TargetLifecycleState is the lifecycle state that an instance is, or is on its way to be, in
// (Amazon EC2 Auto Scaling User Guide, Retrieve the target lifecycle state
// through instance metadata). It is how an instance learns that a hook waits
// for it.
func TargetLifecycleState(i *store.ScalingInstance) string {
	switch i.State {
	case store.LifecycleTerminating, store.LifecycleTerminatingWait, store.LifecycleTerminatingProceed:
		return store.LifecycleTerminated
	case store.LifecycleDetaching:
		return store.LifecycleDetached
	case store.LifecycleEnteringStandby, store.LifecycleStandby:
		return store.LifecycleStandby
	}
	return store.LifecycleInService
}

// Warmup is how long an instance of the group warms up after it came into
// service: the default instance warm-up, or nothing where none is set.
func Warmup(g *store.ScalingGroup) time.Duration {
	if g.DefaultWarmup == nil {
		return 0
	}
	return time.Duration(*g.DefaultWarmup) * time.Second
}

// WarmedUp tells whether the instance serves and has warmed up for so long.
func WarmedUp(i *store.ScalingInstance, warmup time.Duration, now time.Time) bool {
	return i.State == store.LifecycleInService && !now.Before(i.InServiceSince.Add(warmup))
}

// SetLifecycleState writes a new lifecycle state down.
func SetLifecycleState(i *store.ScalingInstance, state string, now time.Time) {
	i.State, i.StateSince = state, now.UTC()
}

// Reasons to take an instance out of service, as activities say them after "an
// instance was taken out of service in response to ".
const (
	ReasonUnhealthy       = "an unhealthy instance needing to be replaced"
	ReasonELBHealthCheck  = "an ELB system health check failure"
	ReasonInstanceGone    = "an EC2 health check indicating it has been terminated or stopped"
	ReasonEC2StatusCheck  = "an EC2 instance status check failure"
	ReasonUserHealthCheck = "a user health-check"
	ReasonInstanceRefresh = "an instance refresh"
	ReasonMaxLifetime     = "maximum instance lifetime"
)

// TakeOutOfService sends the instance with the id away: it leaves its target groups,
// passes its termination hooks and is terminated. because is a reason as
// listed above; successor, unless empty, is the reason that the activity of the
// launch that takes its place gives: "an instance was launched in response to
// …". The desired capacity stays as it is. It tells whether the instance was in
// a state to be sent away.
func TakeOutOfService(tx *store.Tx, id, because, successor string, now time.Time) bool {
	i, ok := store.ScalingInstances.Get(tx, id)
	if !ok || !CountsTowardCapacity(i) && i.State != store.LifecycleStandby {
		return false
	}
	cause := CauseSentence(now, "an instance was taken out of service in response to %s", because)
	if because == ReasonInstanceRefresh {
		cause += "  " + CauseSentence(now, "instance %s was selected for termination", id)
	}
	BeginTermination(tx, id, cause, successor, now)
	return true
}

// BeginTermination moves the instance to Terminating, with an activity of the
// cause, and returns the activity. One that it was in is cancelled.
func BeginTermination(tx *store.Tx, id, cause, successor string, now time.Time) *store.ScalingActivity {
	i, _ := store.ScalingInstances.Get(tx, id)
	EndActivity(tx, i.ActivityID, Cancelled, "", now)
	activity := BeginActivity(tx, i, "Terminating EC2 instance: "+id, cause, now)
	store.ScalingInstances.Edit(tx, id, func(i *store.ScalingInstance) {
		SetLifecycleState(i, store.LifecycleTerminating, now)
		i.ActivityID, i.Successor, i.Replace, i.Surplus = activity.ID, successor, "", false
		i.Waits = nil
	})
	return activity
}

// MarkForReplacement has the instance with the id replaced by another that is launched
// first: the group grows beyond its desired capacity by one, and when all that
// is desired serves without this one, and is warm, this one goes. because and
// successor are the reasons that the two activities give, as in TakeOut. It
// tells whether the instance serves, as it must.
func MarkForReplacement(tx *store.Tx, id, because, successor string) bool {
	i, ok := store.ScalingInstances.Get(tx, id)
	if !ok || i.State != store.LifecycleInService {
		return false
	}
	return store.ScalingInstances.Edit(
		tx,
		id,
		func(i *store.ScalingInstance) { i.Replace, i.Successor = because, successor },
	)
}

// TagKey is the tag that AWS gives every instance of a group: the group's name.
const TagKey = "aws:autoscaling:groupName"

// HookTimeoutLimit is how long an instance can wait for a hook at most, however often a
// heartbeat is recorded (Amazon EC2 Auto Scaling API Reference, LifecycleHook,
// GlobalTimeout).
func HookTimeoutLimit(h *store.LifecycleHook) time.Duration {
	return min(48*time.Hour, 100*time.Duration(h.HeartbeatTimeout)*time.Second)
}

// Delete removes the group with the key and what is part of it: hooks, policies,
// scheduled actions and refreshes. Activities are kept.
func Delete(tx *store.Tx, key string) {
	for _, h := range store.LifecycleHooks.By(tx, "group", key) {
		store.LifecycleHooks.Delete(tx, h.Region+"/"+h.Group+"/"+h.Name)
	}
	for _, p := range store.ScalingPolicies.By(tx, "group", key) {
		for _, alarm := range p.Alarms {
			for _, a := range store.Alarms.By(tx, "region", p.Region) {
				if a.Name == alarm {
					store.Alarms.Delete(tx, a.ARN)
				}
			}
		}
		store.ScalingPolicies.Delete(tx, p.ARN)
	}
	for _, a := range store.ScheduledActions.By(tx, "group", key) {
		store.ScheduledActions.Delete(tx, a.ARN)
	}
	for _, r := range store.InstanceRefreshes.By(tx, "group", key) {
		store.InstanceRefreshes.Delete(tx, r.ID)
	}
	store.ScalingGroups.Delete(tx, key)
}

// InCooldown tells whether the group is in a cooldown of so many seconds: a scaling
// activity goes on, or the last one ended less long ago (Amazon EC2 Auto Scaling
// User Guide, Scaling cooldowns).
func InCooldown(r store.Reader, g *store.ScalingGroup, seconds int32, now time.Time) bool {
	return len(store.ScalingActivities.By(r, "open", g.Key())) > 0 ||
		now.Before(g.LastScaling.Add(time.Duration(seconds)*time.Second))
}
