package decision

import (
	"slices"
	"time"

	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
)

// advance decides an instance's own next step (Amazon EC2 Auto Scaling User
// Guide, Amazon EC2 Auto Scaling instance lifecycle).
func (d *decision) advance(m *Member) {
	switch m.State {
	case store.LifecyclePending, store.LifecyclePendingWait, store.LifecyclePendingProceed:
		d.advanceLaunch(m)
	case store.LifecycleInService:
		d.keepRegistered(m)
	case store.LifecycleTerminating, store.LifecycleTerminatingWait, store.LifecycleTerminatingProceed:
		d.advanceTermination(m)
	case store.LifecycleDetaching:
		if d.drained(m) {
			d.add(stepFor(Detach, m))
		}
	case store.LifecycleEnteringStandby:
		if d.drained(m) {
			d.add(stepFor(EnterStandby, m))
		}
	case store.LifecycleStandby:
		switch {
		case m.terminated(): // nobody checks its health, but there is nothing left to put back into service
			d.terminate(m, scalinggroup.ReasonInstanceGone, "")
		case d.Group.Deleting:
			s := stepFor(BeginTermination, m)
			s.Cause = scalinggroup.CauseSentence(
				d.Now,
				"instance %s was taken out of service in response to a user request",
				m.InstanceID,
			)
			d.add(s)
		}
	}
}

// advanceLaunch takes an instance through its launch hooks into service.
func (d *decision) advanceLaunch(m *Member) {
	if m.ended() {
		d.abandonLaunch(
			m,
			"Instance became unhealthy while waiting for instance to be in InService state. Termination Reason: "+m.Reason,
		)
		return
	}
	if m.Machine != store.Running {
		return
	}
	hooks := d.hooks(scalinggroup.Launching)
	switch {
	case m.State == store.LifecyclePendingWait:
		done, abandoned := d.hooksDone(m)
		switch {
		case abandoned != "":
			d.abandonLaunch(m, "Instance failed to complete user's Lifecycle Action: Lifecycle Action with token "+abandoned)
		case done:
			d.add(stepFor(ProceedAfterHooks, m))
		}
	case m.State == store.LifecyclePending && len(hooks) > 0:
		d.add(stepFor(WaitForHooks, m))
	default:
		s := stepFor(EnterService, m)
		if !d.suspended(scalinggroup.AddToLoadBalancer) {
			s.TargetGroups = d.Group.TargetGroupARNs
		}
		d.add(s)
	}
}

func (d *decision) abandonLaunch(m *Member, message string) {
	s := stepFor(AbandonLaunch, m)
	s.Message = message
	d.leaving[m.InstanceID], d.failedZones[m.Zone] = true, true
	d.add(s)
}

// hooksDone tells whether an instance's wait for its hooks is over, and the token
// and reason of one that was abandoned. Hooks wait side by side; one that is
// abandoned ends the wait for all.
func (d *decision) hooksDone(m *Member) (done bool, abandoned string) {
	done = true
	for _, w := range m.Waits {
		result, why := w.Result, "Lifecycle Action Completed with ABANDON Result"
		if result == "" && !d.Now.Before(w.Deadline) {
			result, why = w.Default, "Heartbeat Timeout"
		}
		switch result {
		case "":
			d.wakeAt(w.Deadline)
			done = false
		case scalinggroup.Abandon:
			return true, w.Token + " was abandoned: " + why
		}
	}
	return done, ""
}

// keepRegistered registers an instance in service with target groups that the
// group was attached to since, once: what a user deregisters stays so. It
// deregisters it from those that the group was detached from.
func (d *decision) keepRegistered(m *Member) {
	if m.ended() {
		return
	}
	var missing []string
	for _, arn := range d.Group.TargetGroupARNs {
		if !slices.Contains(m.Registered, arn) {
			missing = append(missing, arn)
		}
	}
	if len(missing) > 0 && !d.suspended(scalinggroup.AddToLoadBalancer) {
		s := stepFor(RegisterTargets, m)
		s.TargetGroups = missing
		d.add(s)
	}
	d.deregister(m, d.Group.LeavingTargetGroups)
}

// deregister takes an instance out of target groups, and tells whether it is in
// none of them any more.
func (d *decision) deregister(m *Member, arns []string) (out bool) {
	out = true
	s := stepFor(DeregisterTargets, m)
	for _, t := range m.Targets {
		if !slices.Contains(arns, t.TargetGroupARN) {
			continue
		}
		out = false
		if t.DeregisteredAt.IsZero() {
			s.Targets = append(s.Targets, t)
		}
	}
	if len(s.Targets) > 0 {
		d.add(s)
	}
	return out
}

// drained takes an instance out of all target groups of the group, and tells
// whether none has it any more: connection draining is over. A machine that is
// down has nothing to drain.
func (d *decision) drained(m *Member) bool {
	if m.ended() {
		return true
	}
	return d.deregister(m, slices.Concat(d.Group.TargetGroupARNs, d.Group.LeavingTargetGroups))
}

// advanceTermination takes an instance out of its target groups, waits until they have
// drained it, then for its termination hooks, and ends it. A group that is
// being deleted waits for no hook (Amazon EC2 Auto Scaling API Reference,
// DeleteAutoScalingGroup, ForceDelete).
func (d *decision) advanceTermination(m *Member) {
	switch {
	case m.State == store.LifecycleTerminating && !d.drained(m):
		d.add(stepFor(WaitForDraining, m))
		return
	case m.State == store.LifecycleTerminating && len(d.hooks(scalinggroup.Terminating)) > 0 && !d.Group.Deleting:
		d.add(stepFor(WaitForHooks, m))
		return
	case m.State == store.LifecycleTerminatingWait && !d.Group.Deleting:
		// Abandoning a termination is as good as continuing it.
		if done, _ := d.hooksDone(m); done {
			d.add(stepFor(ProceedAfterHooks, m))
		}
		return
	}
	switch m.Machine {
	case "", store.Terminated:
		d.add(stepFor(ForgetTerminated, m))
	case store.ShuttingDown:
	default:
		d.add(stepFor(TerminateInstance, m))
	}
}

// HookDeadline is when a wait for a hook ends that begins, or goes on, now.
func HookDeadline(h *store.LifecycleHook, now time.Time) time.Time {
	return now.Add(time.Duration(h.HeartbeatTimeout) * time.Second)
}
