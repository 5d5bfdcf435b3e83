//go:build linux

package balancers

import (
	"slices"
	"time"

	"aloft.dev/aloft/internal/cloud/addressing"
	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/store"
)

// rowChanges are the changes that bring rows up to date.
type rowChanges struct {
	targets       []*store.Target // new versions
	deleted       []string        // keys of targets
	loadBalancers []*store.LoadBalancer
	released      []string // ids of network interfaces that disappear
	// next is when the next draining target is done, load balancer ready or network
	// interface released; zero: none is to come.
	next time.Time
}

func (c rowChanges) empty() bool {
	return len(c.targets)+len(c.deleted)+len(c.loadBalancers)+len(c.released) == 0
}

// due reports whether a time has come. If not, it notes it as a time at which to
// compare again.
func (c *rowChanges) due(at, now time.Time) bool {
	if !at.After(now) {
		return true
	}
	if c.next.IsZero() || at.Before(c.next) {
		c.next = at
	}
	return false
}

func (c rowChanges) write(tx *store.Tx) {
	for _, t := range c.targets {
		store.Targets.Put(tx, t)
	}
	for _, key := range c.deleted {
		store.Targets.Delete(tx, key)
	}
	for _, lb := range c.loadBalancers {
		store.LoadBalancers.Put(tx, lb)
	}
	for _, id := range c.released {
		addressing.DeleteInterface(tx, id)
	}
}

// compare returns the changes that make rows match the balancer's status and the
// instances' states. status is nil if the balancer has reported nothing.
func compare(r store.Reader, status *statusIndex, now time.Time) rowChanges {
	var out rowChanges
	for _, group := range store.TargetGroups.List(r) {
		use := useOf(r, group)
		for _, t := range store.TargetsByTargetGroup.List(r, group.ARN) {
			out.compareTarget(targetStateOf(r, t, group, use), t, group, use, status, now)
		}
	}
	for _, nic := range store.NetworkInterfaces.List(r) {
		if !nic.ReleasedAt.IsZero() && out.due(nic.ReleasedAt, now) {
			out.released = append(out.released, nic.ID)
		}
	}
	for _, lb := range store.LoadBalancers.List(r) {
		if !out.due(lb.ActiveAt, now) || status == nil {
			continue
		}
		state, reason := loadBalancerState(r, lb, status)
		nodes := status.observed(lb.Nodes)
		if state != lb.State || reason != lb.StateReason || !slices.Equal(nodes, lb.Nodes) {
			changed := *lb
			changed.State, changed.StateReason, changed.Nodes = state, reason, nodes
			out.loadBalancers = append(out.loadBalancers, &changed)
		}
	}
	return out
}

func (c *rowChanges) compareTarget(
	s targetState,
	t *store.Target,
	group *store.TargetGroup,
	use targetGroupUse,
	status *statusIndex,
	now time.Time,
) {
	changed := *t
	if s.terminated && t.DeregisteredAt.IsZero() {
		changed.DeregisteredAt = now.UTC()
	}
	if s.draining && !s.gone {
		s.gone = c.drainingDone(drainedAt(&changed, group, s), use, now)
	}
	if s.gone {
		c.deleted = append(c.deleted, t.Key())
		return
	}
	health := balancer.Health{State: t.State, Reason: t.Reason, Description: t.Description}
	if s.health != nil {
		health, changed.UnhealthyNodes = *s.health, ""
	} else if status != nil {
		health, changed.UnhealthyNodes = status.healthOf(group.ARN, s.targets(t))
	}
	changed.State, changed.Reason, changed.Description = health.State, health.Reason, health.Description
	if changed != *t {
		c.targets = append(c.targets, &changed)
	}
}
