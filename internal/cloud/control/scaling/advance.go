package scaling

import (
	"slices"
	"time"

	"aloft.dev/aloft/internal/cloud/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
)

// advance decides an instance's own next step (Amazon EC2 Auto Scaling User
// Guide, Amazon EC2 Auto Scaling instance lifecycle).
func (d *decision) advance(m *Member) {
	switch m.State {
	case store.LifecyclePending, store.LifecyclePendingWait, store.LifecyclePendingProceed:
		d.enter(m)
	case store.LifecycleInService:
		d.keepRegistered(m)
	case store.LifecycleTerminating, store.LifecycleTerminatingWait, store.LifecycleTerminatingProceed:
		d.leave(m)
	case store.LifecycleDetaching:
		if d.drained(m) {
			d.step(about(LetGo, m))
		}
	case store.LifecycleEnteringStandby:
		if d.drained(m) {
			d.step(about(Rest, m))
		}
	case store.LifecycleStandby:
		switch {
		case m.gone(): // nobody checks its health, but there is nothing left to put back into service
			d.takeOut(m, scalinggroup.EC2Gone, "")
		case d.Group.Deleting:
			s := about(TakeOut, m)
			s.Cause = scalinggroup.Sentence(
				d.Now,
				"instance %s was taken out of service in response to a user request",
				m.InstanceID,
			)
			d.step(s)
		}
	}
}

// enter takes an instance through its launch hooks into service.
func (d *decision) enter(m *Member) {
	if m.ended() {
		d.giveUp(
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
		done, abandoned := d.waited(m)
		switch {
		case abandoned != "":
			d.giveUp(m, "Instance failed to complete user's Lifecycle Action: Lifecycle Action with token "+abandoned)
		case done:
			d.step(about(Proceed, m))
		}
	case m.State == store.LifecyclePending && len(hooks) > 0:
		d.step(about(Hold, m))
	default:
		s := about(Serve, m)
		if !d.suspended(scalinggroup.AddToLoadBalancer) {
			s.TargetGroups = d.Group.TargetGroupARNs
		}
		d.step(s)
	}
}

func (d *decision) giveUp(m *Member, message string) {
	s := about(GiveUp, m)
	s.Message = message
	d.leaving[m.InstanceID], d.struck[m.Zone] = true, true
	d.step(s)
}

// waited tells whether an instance's wait for its hooks is over, and the token
// and reason of one that was abandoned. Hooks wait side by side; one that is
// abandoned ends the wait for all.
func (d *decision) waited(m *Member) (done bool, abandoned string) {
	done = true
	for _, w := range m.Waits {
		result, why := w.Result, "Lifecycle Action Completed with ABANDON Result"
		if result == "" && !d.Now.Before(w.Deadline) {
			result, why = w.Default, "Heartbeat Timeout"
		}
		switch result {
		case "":
			d.at(w.Deadline)
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
		s := about(Register, m)
		s.TargetGroups = missing
		d.step(s)
	}
	d.deregister(m, d.Group.LeavingTargetGroups)
}

// deregister takes an instance out of target groups, and tells whether it is in
// none of them any more.
func (d *decision) deregister(m *Member, arns []string) (out bool) {
	out = true
	s := about(Deregister, m)
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
		d.step(s)
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

// leave takes an instance out of its target groups, waits until they have
// drained it, then for its termination hooks, and ends it. A group that is
// being deleted waits for no hook (Amazon EC2 Auto Scaling API Reference,
// DeleteAutoScalingGroup, ForceDelete).
func (d *decision) leave(m *Member) {
	switch {
	case m.State == store.LifecycleTerminating && !d.drained(m):
		d.step(about(Await, m))
		return
	case m.State == store.LifecycleTerminating && len(d.hooks(scalinggroup.Terminating)) > 0 && !d.Group.Deleting:
		d.step(about(Hold, m))
		return
	case m.State == store.LifecycleTerminatingWait && !d.Group.Deleting:
		// Abandoning a termination is as good as continuing it.
		if done, _ := d.waited(m); done {
			d.step(about(Proceed, m))
		}
		return
	}
	switch m.Machine {
	case "", store.Terminated:
		d.step(about(Bury, m))
	case store.ShuttingDown:
	default:
		d.step(about(End, m))
	}
}

// deadline is when a wait for a hook ends that begins, or goes on, now.
func deadline(h *store.LifecycleHook, now time.Time) time.Time {
	return now.Add(time.Duration(h.HeartbeatTimeout) * time.Second)
}
