package decision

import (
	"slices"
	"strings"
	"time"

	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
)

// checkHealth replaces the instances in service that are not healthy. Without
// an instance maintenance policy they are taken out at once and others are
// launched in their place, as AWS does. With one, what it allows beyond the
// desired capacity is launched first, and what it wants to keep is kept.
func (d *decision) checkHealth() {
	impaired := d.impairedZones()
	for _, m := range d.counted() {
		if m.Replace != "" {
			d.marked[m.InstanceID] = true
		}
		if m.State != store.LifecycleInService {
			continue
		}
		if because := d.unhealthyReason(m, impaired); because != "" {
			d.unhealthy[m.InstanceID] = because
		}
	}
	ready, moving := d.readiness()
	for _, m := range d.counted() {
		because, sick := d.unhealthy[m.InstanceID]
		if !sick {
			continue
		}
		if m.Health != scalinggroup.Unhealthy {
			d.add(stepFor(MarkUnhealthy, m))
		}
		switch {
		case d.suspended(scalinggroup.ReplaceUnhealthy) || d.suspended(scalinggroup.Terminate):
		case m.ended() || m.Surplus || d.mayTakeOutFirst(ready, moving):
			d.terminate(m, because, scalinggroup.ReasonUnhealthy)
			moving = true
		case !d.marked[m.InstanceID] && d.mayLaunchFirst():
			d.replace(m, because, scalinggroup.ReasonUnhealthy)
		}
	}
}

// unhealthyReason is why an instance in service is not healthy; "": it is. The grace
// period covers failing checks, not a machine that is down (Amazon EC2 Auto
// Scaling User Guide, Set the health check grace period).
func (d *decision) unhealthyReason(m *Member, impaired map[string]bool) string {
	switch {
	case d.suspended(scalinggroup.HealthCheck) && m.Health != scalinggroup.Unhealthy:
		return ""
	case m.ended():
		return scalinggroup.ReasonInstanceGone
	case m.Health == scalinggroup.Unhealthy && m.UserHealth:
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

// graceEnd is the end of an instance's grace period. It begins anew when the local
// cloud has started its machine anew, as after a restart of the host: there is
// no such thing on AWS, and all machines at once would be found failing.
func (d *decision) graceEnd(m *Member) time.Time {
	if again := m.Booted.Add(time.Duration(d.Group.HealthCheckGrace) * time.Second); !m.Booted.IsZero() &&
		again.After(m.GraceUntil) {
		return again
	}
	return m.GraceUntil
}

// failsELB tells whether the group heeds ELB's health checks and any of its
// target groups calls the instance unhealthy. Initial, unused and draining
// targets have no such word.
func (d *decision) failsELB(m *Member) bool {
	return d.usesELBHealth() && slices.ContainsFunc(m.Targets, func(t *store.Target) bool { return d.targetUnhealthy(t) })
}

func (d *decision) usesELBHealth() bool {
	return slices.Contains(strings.Split(d.Group.HealthCheckType, ","), "ELB")
}

func (d *decision) targetUnhealthy(t *store.Target) bool {
	return t.State == "unhealthy" && t.DeregisteredAt.IsZero() &&
		slices.Contains(d.Group.TargetGroupARNs, t.TargetGroupARN)
}

// impairedZones are the zones in which no ELB check is believed. With
// IgnoreUnhealthy in its impairment policy, AWS does so in a zone that traffic
// is being shifted away from. There is no zonal shift here, so what it would be
// started for counts: all instances of the zone fall silent (their checks time
// out, nothing is refused or answered wrongly) while another zone has healthy
// ones. Replacing them within the zone would be in vain.
func (d *decision) impairedZones() map[string]bool {
	if d.Group.ImpairedHealthCheck != "IgnoreUnhealthy" || !d.usesELBHealth() {
		return nil
	}
	silent, well := map[string]bool{}, map[string]bool{}
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
			well[m.Zone] = true
		}
	}
	for zone := range silent {
		if well[zone] || len(well) == 0 {
			delete(silent, zone)
		}
	}
	return silent
}

// mayTakeOutFirst tells whether an unhealthy instance may go before another
// takes its place: there is no instance maintenance policy, or enough others
// are ready.
func (d *decision) mayTakeOutFirst(ready int, moving bool) bool {
	g := d.Group
	if g.MinHealthy < 0 {
		return true
	}
	floor := (int(g.Desired)*int(g.MinHealthy) + 99) / 100
	if g.MinHealthy < 100 && ready >= floor {
		return true
	}
	// A policy that allows nothing above the desired capacity must not stand
	// still below its minimum: one goes after the other.
	return g.MaxHealthy <= 100 && !moving
}

// mayLaunchFirst tells whether one more instance may be launched beyond the
// desired capacity: as much as the maintenance policy allows, and one at least.
func (d *decision) mayLaunchFirst() bool {
	g := d.Group
	if g.MaxHealthy <= 100 {
		return false
	}
	return len(d.marked) < max(1, int(g.Desired)*(int(g.MaxHealthy)-100)/100)
}

// readiness counts the instances that are ready, and tells whether any is on
// its way to be.
func (d *decision) readiness() (ready int, moving bool) {
	for _, m := range d.counted() {
		switch {
		case d.ready(m):
			ready++
		case d.unhealthy[m.InstanceID] == "":
			moving = true
		}
	}
	return ready, moving || len(d.Launches) > 0
}

// checkLifetime replaces instances that have lived for the maximum instance
// lifetime: one at a time while everything else is at rest, or, with an
// instance maintenance policy that allows it, launching first.
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
