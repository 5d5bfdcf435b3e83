package decision

import (
	"slices"

	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
)

// advance decides an instance's next step in its lifecycle (Amazon EC2 Auto Scaling
// User Guide, Amazon EC2 Auto Scaling instance lifecycle).
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
		case m.terminated(): // its health is not checked, but it can never return to service
			d.terminate(m, scalinggroup.ReasonInstanceGone, "")
		case d.Group.Deleting:
			s := stepFor(BeginTermination, m)
			s.Cause = scalinggroup.CauseUserTookOut(d.Now, m.InstanceID, "")
			d.add(s)
		}
	}
}

// advanceLaunch moves a launched instance through its hooks into service.
func (d *decision) advanceLaunch(m *Member) {
	if m.FromPool && m.Machine == store.Stopped {
		d.add(stepFor(StartInstance, m))
		return
	}
	if m.ended() {
		d.abandonLaunch(m, scalinggroup.MessageDiedBeforeService(m.Reason))
		return
	}
	if m.Machine != store.Running {
		return
	}
	hooks := d.hooks(scalinggroup.Launching)
	switch {
	case m.State == store.LifecyclePendingWait:
		d.finishHooks(m)
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

// finishHooks continues a launch when its hooks are done.
func (d *decision) finishHooks(m *Member) {
	done, abandoned := d.hooksDone(m)
	switch {
	case abandoned != "":
		d.abandonLaunch(m, abandoned)
	case done:
		d.add(stepFor(ProceedAfterHooks, m))
	}
}

func (d *decision) abandonLaunch(m *Member, message string) {
	s := stepFor(AbandonLaunch, m)
	s.Message = message
	d.leaving[m.InstanceID], d.failedZones[m.Zone] = true, true
	d.add(s)
}

// hooksDone reports whether an instance's wait for its hooks is over. If a hook was
// abandoned, it returns the status message. An instance waits for all hooks at once;
// an abandoned hook ends the wait for all.
func (d *decision) hooksDone(m *Member) (done bool, abandoned string) {
	done = true
	for _, w := range m.Waits {
		result, why := w.Result, scalinggroup.WhyAbandonResult
		if result == "" && !d.Now.Before(w.Deadline) {
			result, why = w.Default, scalinggroup.WhyHeartbeatTimeout
		}
		switch result {
		case "":
			d.wakeAt(w.Deadline)
			done = false
		case scalinggroup.Abandon:
			return true, scalinggroup.MessageHookAbandoned(w.Token, why)
		}
	}
	return done, ""
}

// keepRegistered registers an instance in service with target groups that were
// attached to the group since. It does so once: an instance that a user deregisters
// stays deregistered. It deregisters the instance from detached target groups.
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
	d.deregister(m, d.Group.DetachedTargetGroups)
}

// deregister deregisters an instance from target groups and reports whether it has
// left all of them.
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

// drained deregisters an instance from all target groups of the group and reports
// whether connection draining is over. A machine that does not run has nothing to
// drain.
func (d *decision) drained(m *Member) bool {
	if m.ended() {
		return true
	}
	return d.deregister(m, slices.Concat(d.Group.TargetGroupARNs, d.Group.DetachedTargetGroups))
}

// advanceTermination takes an instance out of its target groups, waits until they have
// drained it, then for its termination hooks, and ends it. A group that is
// being deleted waits for no hook (Amazon EC2 Auto Scaling API Reference,
// DeleteAutoScalingGroup, ForceDelete). An instance that returns to the warm pool does not
// end.
func (d *decision) advanceTermination(m *Member) {
	switch {
	case m.State == store.LifecycleTerminating && !d.drained(m):
		d.add(stepFor(WaitForDraining, m))
		return
	case d.waitsForHooks(m):
		return
	}
	switch {
	case m.terminated():
		d.add(stepFor(ForgetTerminated, m))
	case m.Machine == store.ShuttingDown:
	case m.ToPool && d.returns(m):
		d.add(stepFor(ReturnToPool, m))
	default:
		d.add(stepFor(TerminateInstance, m))
	}
}

// waitsForHooks reports whether an instance that is terminated waits for its hooks.
func (d *decision) waitsForHooks(m *Member) bool {
	forced := scalinggroup.InWarmPool(m.ScalingInstance) && d.Pool != nil && d.Pool.Force
	if d.Group.Deleting || forced {
		return false
	}
	switch m.State {
	case store.LifecycleTerminating, store.LifecycleWarmedTerminating:
		if len(d.hooks(scalinggroup.Terminating)) == 0 {
			return false
		}
		d.add(stepFor(WaitForHooks, m))
		return true
	case store.LifecycleTerminatingWait, store.LifecycleWarmedTerminatingWait:
		// An abandoned termination hook lets the termination continue.
		if done, _ := d.hooksDone(m); done {
			d.add(stepFor(ProceedAfterHooks, m))
		}
		return true
	}
	return false
}
