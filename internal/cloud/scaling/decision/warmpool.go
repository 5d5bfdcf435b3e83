package decision

import (
	"slices"
	"strings"

	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
)

// advanceWarmed decides the next step of an instance of the warm pool in its lifecycle
// (Amazon EC2 Auto Scaling User Guide, "Use lifecycle hooks with a warm pool").
func (d *decision) advanceWarmed(m *Member) {
	switch m.State {
	case store.LifecycleWarmedPending, store.LifecycleWarmedPendingWait, store.LifecycleWarmedPendingProceed:
		d.advanceWarming(m)
	case store.LifecycleWarmedTerminating, store.LifecycleWarmedTerminatingWait,
		store.LifecycleWarmedTerminatingProceed:
		d.advanceTermination(m)
	default:
		if reason := poolReason(m); reason != "" {
			d.leavePool(m, scalinggroup.CauseTakenOut(d.Now, reason))
		}
	}
}

// poolReason returns why an instance that has warmed up leaves the pool, or "" if it stays.
func poolReason(m *Member) string {
	switch {
	case m.terminated(), m.State == store.LifecycleWarmedRunning && m.ended():
		return scalinggroup.ReasonInstanceGone
	case m.Health == scalinggroup.Unhealthy:
		return scalinggroup.ReasonUserHealthCheck
	}
	return ""
}

// advanceWarming moves an instance through the hooks of launches into the pool.
func (d *decision) advanceWarming(m *Member) {
	stops := m.PoolState == scalinggroup.PoolStopped
	hooks := d.hooks(scalinggroup.Launching)
	ready := m.State == store.LifecycleWarmedPendingProceed ||
		m.State == store.LifecycleWarmedPending && len(hooks) == 0
	switch {
	case m.terminated(), m.Machine == store.ShuttingDown, m.ended() && !(ready && stops):
		d.abandonLaunch(m, scalinggroup.MessageDiedBeforeService(m.Reason))
	case m.Machine == store.Stopped:
		d.add(stepFor(EnterPool, m))
	case m.Machine != store.Running: // on its way up or down
	case m.State == store.LifecycleWarmedPendingWait:
		d.finishHooks(m)
	case !ready:
		d.add(stepFor(WaitForHooks, m))
	case stops:
		d.add(stepFor(StopInstance, m))
	default:
		d.add(stepFor(EnterPool, m))
	}
}

// leavePool terminates an instance of the pool.
func (d *decision) leavePool(m *Member, cause string) {
	if d.leaving[m.InstanceID] {
		return
	}
	s := stepFor(BeginTermination, m)
	s.Cause = cause
	d.leaving[m.InstanceID] = true
	d.add(s)
}

// pooled returns the instances of the pool that do not leave.
func (d *decision) pooled() (out []*Member) {
	for i := range d.Warmed {
		m := &d.Warmed[i]
		if !strings.HasPrefix(m.State, store.LifecycleWarmedTerminating) && !d.leaving[m.InstanceID] {
			out = append(out, m)
		}
	}
	return out
}

// takeWarm returns an instance of the pool for a launch at a place: one that has warmed up and
// that no refresh replaces, in the zone, or in another if the zones are as even with it; nil if
// there is none. AWS does not document the choice; the balance of the zones matters more than
// a fast start.
func (d *decision) takeWarm(zones *occupancy, place Subnet) *Member {
	var best *Member
	for _, m := range d.pooled() {
		warm := m.State == store.LifecycleWarmedStopped && m.Machine == store.Stopped ||
			m.State == store.LifecycleWarmedRunning && m.Machine == store.Running
		if !warm || d.staleInPool(m) || best != nil && best.Zone == place.Zone {
			continue
		}
		// The place is counted already.
		if m.Zone == place.Zone || d.inZone(m.Zone) && zones.zones[m.Zone] < zones.zones[place.Zone] {
			best = m
		}
	}
	if best != nil {
		d.leaving[best.InstanceID] = true // the pool
		zones.move(place, best)
	}
	return best
}

// inZone reports whether the group launches into a zone.
func (d *decision) inZone(zone string) bool {
	return slices.ContainsFunc(d.Subnets, func(s Subnet) bool { return s.Zone == zone })
}

// staleInPool reports whether a refresh in progress replaces an instance of the pool.
func (d *decision) staleInPool(m *Member) bool {
	return d.Refresh != nil && d.Refresh.Stale[m.InstanceID]
}

// fillPool brings the number of instances in the pool to its size, and empties a pool that is
// deleted.
func (d *decision) fillPool() {
	for _, a := range d.WarmLaunches {
		d.repeatLaunch(a)
	}
	if d.Pool == nil {
		return
	}
	pooled := d.pooled()
	if d.Pool.Deleting || d.Group.Deleting {
		for _, m := range pooled {
			d.leavePool(m, scalinggroup.CauseUserTookOut(d.Now, m.InstanceID, ""))
		}
		if len(d.Warmed)+len(d.WarmLaunches) == 0 && !d.Group.Deleting {
			d.add(Step{Action: DeletePool})
		}
		return
	}
	if !d.suspended(scalinggroup.Terminate) {
		for _, m := range pooled {
			if d.staleInPool(m) {
				d.leavePool(m, scalinggroup.CauseTakenOut(d.Now, scalinggroup.ReasonInstanceRefresh))
			}
		}
		pooled = d.pooled()
	}
	d.resizePool(pooled)
}

// resizePool launches what the pool lacks, or terminates what it has beyond its size, first
// what has not warmed up.
func (d *decision) resizePool(pooled []*Member) {
	size, total := int(scalinggroup.WarmPoolSize(d.Group, d.Pool)), len(pooled)+len(d.WarmLaunches)+d.returning()
	switch {
	case total < size && !d.suspended(scalinggroup.Launch):
		zones := d.occupancy(pooled, d.WarmLaunches)
		for range size - total {
			place, ok := zones.nextSubnet()
			if !ok {
				return
			}
			d.add(Step{
				Action: PlanLaunch, Zone: place.Zone, Subnet: place.ID, Warm: true,
				Cause: scalinggroup.CausePoolGrown(d.Now, total, size),
			})
		}
	case total > size && !d.suspended(scalinggroup.Terminate):
		excess := min(total-size, len(pooled))
		for _, warm := range []bool{false, true} {
			for _, m := range pooled {
				if pending := strings.HasPrefix(m.State, store.LifecycleWarmedPending); pending != warm && excess > 0 {
					d.leavePool(m, scalinggroup.CausePoolShrunk(d.Now, total, size))
					excess--
				}
			}
		}
	}
}

// returning returns how many instances are on their way from the group into the pool.
func (d *decision) returning() int {
	n := d.sentToPool
	for i := range d.Members {
		if m := &d.Members[i]; m.ToPool && d.returns(m) {
			n++
		}
	}
	return n
}

// returns reports whether an instance that the group does not need any more returns to its
// warm pool.
func (d *decision) returns(m *Member) bool {
	return d.Pool != nil && d.Pool.Reuse && !d.Pool.Deleting && !d.Group.Deleting && m.Machine == store.Running &&
		!d.staleInPool(m)
}
