//go:build linux

package balancers

import (
	"time"

	"aloft.dev/aloft/internal/cloud/store"
)

// drainedAt returns when a draining target's registration ends; zero means that it
// lasts as long as the instance's row, because the instance terminated. The target
// drains for the whole deregistration delay even if no requests are in flight, because
// AWS lists it as draining until then (Application Load Balancer guide, Deregistration
// delay).
func drainedAt(t *store.Target, group *store.TargetGroup, s targetState) time.Time {
	if s.terminated {
		return time.Time{}
	}
	return t.DeregisteredAt.Add(seconds(group.Attributes["deregistration_delay.timeout_seconds"]))
}

// drainingDone reports whether a target that drains until end is done now. If not, it
// notes end as a time at which to compare again. A zero end never comes.
func (c *rowChanges) drainingDone(end time.Time, use targetGroupUse, now time.Time) bool {
	switch {
	case use.by == nil:
		return true // no load balancer sends it requests
	case end.IsZero():
		return false
	}
	return c.due(end, now)
}
