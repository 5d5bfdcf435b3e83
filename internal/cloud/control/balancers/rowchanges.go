package balancers

import (
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/store"
)

// rowChanges are the changes that bring rows up to date.
type rowChanges struct {
	targets       []*store.Target // new versions
	deleted       []string        // keys of targets
	loadBalancers []*store.LoadBalancer
	drained       time.Time // when the next draining target is done; zero: none drains
}

func (c rowChanges) empty() bool {
	return len(c.targets)+len(c.deleted)+len(c.loadBalancers) == 0
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
	if status == nil {
		return out
	}
	for _, lb := range store.LoadBalancers.List(r) {
		state, reason := loadBalancerState(r, lb, status)
		if state != lb.State || reason != lb.StateReason {
			changed := *lb
			changed.State, changed.StateReason = state, reason
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
		health = *s.health
	} else if status != nil {
		key := balancer.TargetKey{TargetGroup: group.ARN, ID: t.ID, Port: uint16(t.Port)}
		var known bool
		if health, known = status.targets[key]; !known {
			health = balancer.Registering
		}
	}
	changed.State, changed.Reason, changed.Description = health.State, health.Reason, health.Description
	if changed != *t {
		c.targets = append(c.targets, &changed)
	}
}
