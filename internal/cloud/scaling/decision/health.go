package decision

import (
	"slices"
	"strings"
	"time"

	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
)

// checkHealth replaces unhealthy instances in service. Without an instance maintenance
// policy it terminates them at once and launches others, as AWS does. With a policy
// it launches first what the policy allows beyond the desired capacity, and keeps the
// minimum that the policy requires.
func (d *decision) checkHealth() {
	impaired := d.impairedZones()
	for _, m := range d.counted() {
		if m.ReplaceCause != "" {
			d.mark(m, true)
		}
		if m.State != store.LifecycleInService {
			continue
		}
		if reason := d.unhealthyReason(m, impaired); reason != "" {
			d.unhealthy[m.InstanceID] = reason
		}
	}
	ready, moving := d.readiness()
	for _, m := range d.counted() {
		reason, unhealthy := d.unhealthy[m.InstanceID]
		if !unhealthy {
			continue
		}
		if m.Health != scalinggroup.Unhealthy {
			d.add(stepFor(MarkUnhealthy, m))
		}
		switch {
		case d.suspended(scalinggroup.ReplaceUnhealthy) || d.suspended(scalinggroup.Terminate):
		case m.ended() || m.Surplus || d.mayTakeOutFirst(ready, moving):
			d.terminate(m, reason, scalinggroup.ReasonUnhealthy)
			moving = true
		case !d.marked[m.InstanceID] && d.mayLaunchFirst():
			d.replace(m, reason, scalinggroup.ReasonUnhealthy)
		}
	}
}

// unhealthyReason returns why an instance in service is unhealthy, or "" if it is
// healthy. The grace period covers failing checks but not a stopped machine (Amazon
// EC2 Auto Scaling User Guide, Set the health check grace period).
func (d *decision) unhealthyReason(m *Member, impaired map[string]bool) string {
	switch {
	case d.suspended(scalinggroup.HealthCheck) && m.Health != scalinggroup.Unhealthy:
		return ""
	case m.ended():
		return scalinggroup.ReasonInstanceGone
	case m.Health == scalinggroup.Unhealthy && m.HealthSetByUser:
		return scalinggroup.ReasonUserHealthCheck
	}
	if grace := d.graceEnd(m); d.Now.Before(grace) {
		d.wakeAt(grace)
		return ""
	}
	switch {
	case m.Machine == store.Running && !m.Reachable:
		return scalinggroup.ReasonEC2StatusCheck
	case d.failsELB(m) && impaired[m.Zone]:
		return ""
	case d.failsELB(m):
		return scalinggroup.ReasonELBHealthCheck
	case m.Health == scalinggroup.Unhealthy:
		return scalinggroup.ReasonEC2StatusCheck
	}
	return ""
}

// graceEnd returns the end of an instance's grace period. The period begins again when
// the local cloud restarts the machine, as after a reboot of the host. AWS has no such
// event, and all machines would fail their checks at once.
func (d *decision) graceEnd(m *Member) time.Time {
	if again := m.Booted.Add(time.Duration(d.Group.HealthCheckGrace) * time.Second); !m.Booted.IsZero() &&
		again.After(m.GraceUntil) {
		return again
	}
	return m.GraceUntil
}

// failsELB reports whether the group uses ELB health checks and one of its target
// groups reports the instance unhealthy. Initial, unused and draining targets do not
// count as unhealthy.
func (d *decision) failsELB(m *Member) bool {
	return d.usesELBHealth() && slices.ContainsFunc(
		m.Targets, func(t *store.Target) bool { return d.targetUnhealthy(t) },
	)
}

func (d *decision) usesELBHealth() bool {
	return slices.Contains(strings.Split(d.Group.HealthCheckType, ","), "ELB")
}

func (d *decision) targetUnhealthy(t *store.Target) bool {
	return t.State == "unhealthy" && t.DeregisteredAt.IsZero() &&
		slices.Contains(d.Group.TargetGroupARNs, t.TargetGroupARN)
}

// impairedZones returns the zones whose ELB checks are ignored. With IgnoreUnhealthy
// in the group's impairment policy, AWS ignores them in a zone that traffic is shifted
// away from. The local cloud has no zonal shift, so it uses the condition for which
// one would start a shift: all checks of the zone's instances time out while another
// zone has healthy instances. Replacing instances within the zone would not help.
func (d *decision) impairedZones() map[string]bool {
	if d.Group.ImpairedHealthCheck != "IgnoreUnhealthy" || !d.usesELBHealth() {
		return nil
	}
	silent, healthy := map[string]bool{}, map[string]bool{}
	for i := range d.Members {
		m := &d.Members[i]
		if m.State != store.LifecycleInService || m.ended() {
			continue
		}
		if d.failsELB(m) &&
			!slices.ContainsFunc(
				m.Targets,
				func(t *store.Target) bool { return d.targetUnhealthy(t) && t.Reason != "Target.Timeout" },
			) {
			silent[m.Zone] = true
		} else {
			healthy[m.Zone] = true
		}
	}
	for zone := range silent {
		if healthy[zone] || len(healthy) == 0 {
			delete(silent, zone)
		}
	}
	return silent
}

// mayTakeOutFirst reports whether an unhealthy instance may be terminated before its
// replacement is ready: the group has no instance maintenance policy, or enough other
// instances are ready.
func (d *decision) mayTakeOutFirst(ready int, moving bool) bool {
	g := d.Group
	if g.MinHealthy < 0 {
		return true
	}
	floor := (int(g.Desired)*int(g.MinHealthy) + 99) / 100
	if g.MinHealthy < 100 && ready >= floor {
		return true
	}
	// A policy that allows nothing beyond the desired capacity must not block
	// replacements below its minimum: replace one instance after another.
	return g.MaxHealthy <= 100 && !moving
}

// mayLaunchFirst reports whether one more instance may be launched beyond the desired
// capacity: as much capacity as the maintenance policy allows, and at least one instance.
func (d *decision) mayLaunchFirst() bool {
	g := d.Group
	if g.MaxHealthy <= 100 {
		return false
	}
	return d.markedUnits < max(1, int(g.Desired)*(int(g.MaxHealthy)-100)/100)
}

// readiness returns the capacity of ready instances and reports whether others are about
// to become ready.
func (d *decision) readiness() (ready int, moving bool) {
	for _, m := range d.counted() {
		switch {
		case d.ready(m):
			ready += m.units()
		case d.unhealthy[m.InstanceID] == "":
			moving = true
		}
	}
	return ready, moving || len(d.Launches) > 0
}

// checkLifetime replaces instances that have reached the maximum instance lifetime:
// one at a time while nothing else is in progress, or, if an instance maintenance
// policy allows it, by launching first.
func (d *decision) checkLifetime() {
	g := d.Group
	if g.MaxInstanceLifetime == 0 || d.suspended(scalinggroup.Launch) || d.suspended(scalinggroup.Terminate) {
		return
	}
	ready, moving := d.readiness()
	for _, m := range d.counted() {
		end := m.Launched.Add(time.Duration(g.MaxInstanceLifetime) * time.Second)
		if m.State != store.LifecycleInService || d.marked[m.InstanceID] || m.Attached || d.Now.Before(end) {
			d.wakeAt(end)
			continue
		}
		switch {
		case g.MaxHealthy > 100 && d.mayLaunchFirst():
			d.replace(m, scalinggroup.ReasonMaxLifetime, scalinggroup.ReasonMaxLifetime)
		case g.MaxHealthy <= 100 && !moving && ready >= int(g.Desired):
			d.terminate(m, scalinggroup.ReasonMaxLifetime, scalinggroup.ReasonMaxLifetime)
			return
		}
	}
}
