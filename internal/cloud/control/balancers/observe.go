package balancers

import (
	"fmt"
	"strings"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/store"
)

// observed is what the balancer says, in the form that is looked up.
type observed struct {
	targets map[balancer.TargetKey]balancer.Health
	nodes   map[string]balancer.NodeStatus // by interface
	fronts  map[uint16]string              // what keeps a port closed on the host
}

func newObserved(s balancer.Status) *observed {
	o := &observed{
		targets: map[balancer.TargetKey]balancer.Health{},
		nodes:   map[string]balancer.NodeStatus{},
		fronts:  map[uint16]string{},
	}
	for _, t := range s.Targets {
		o.targets[t.TargetKey] = t.Health
	}
	for _, n := range s.Nodes {
		o.nodes[n.ID] = n
	}
	for _, f := range s.Fronts {
		if f.Error != "" {
			o.fronts[f.Port] = f.Error
		}
	}
	return o
}

// record is how rows have to change so that they tell what is so.
type record struct {
	targets       []*store.Target // new versions
	gone          []string        // keys of targets to remove
	loadBalancers []*store.LoadBalancer
	next          time.Time // when a draining target ends; zero: none drains
}

func (r record) empty() bool {
	return len(r.targets)+len(r.gone)+len(r.loadBalancers) == 0
}

func (r record) write(tx *store.Tx) {
	for _, t := range r.targets {
		store.Targets.Put(tx, t)
	}
	for _, key := range r.gone {
		store.Targets.Delete(tx, key)
	}
	for _, lb := range r.loadBalancers {
		store.LoadBalancers.Put(tx, lb)
	}
}

// observe compares the rows with what is so now. seen is nil while the balancer
// has said nothing.
func observe(r store.Reader, seen *observed, now time.Time) record {
	var out record
	for _, group := range store.TargetGroups.List(r) {
		use := usage(r, group)
		for _, t := range store.Targets.By(r, "target_group", group.ARN) {
			out.target(r, t, group, use, seen, now)
		}
	}
	if seen == nil {
		return out
	}
	for _, lb := range store.LoadBalancers.List(r) {
		state, reason := condition(r, lb, seen)
		if state != lb.State || reason != lb.StateReason {
			changed := *lb
			changed.State, changed.StateReason = state, reason
			out.loadBalancers = append(out.loadBalancers, &changed)
		}
	}
	return out
}

func (out *record) target(
	r store.Reader,
	t *store.Target,
	group *store.TargetGroup,
	use use,
	seen *observed,
	now time.Time,
) {
	s := stand(r, t, group, use)
	changed := *t
	if s.ended && t.DeregisteredAt.IsZero() {
		changed.DeregisteredAt = now.UTC()
	}
	if s.draining && !s.gone {
		s.gone = out.drained(expiry(&changed, group, s), use, now)
	}
	if s.gone {
		out.gone = append(out.gone, t.Key())
		return
	}
	health := balancer.Health{State: t.State, Reason: t.Reason, Description: t.Description}
	if s.health != nil {
		health = *s.health
	} else if seen != nil {
		var known bool
		if health, known = seen.targets[balancer.TargetKey{
			TargetGroup: group.ARN, ID: t.ID, Port: uint16(t.Port),
		}]; !known {
			health = starting
		}
	}
	changed.State, changed.Reason, changed.Description = health.State, health.Reason, health.Description
	if changed != *t {
		out.targets = append(out.targets, &changed)
	}
}

// drained tells whether a draining target has come to its end, and else keeps
// the end in mind. A zero end never comes.
func (out *record) drained(end time.Time, use use, now time.Time) bool {
	switch {
	case use.by == nil:
		return true
	case end.IsZero():
		return false
	case !end.After(now):
		return true
	}
	if out.next.IsZero() || end.Before(out.next) {
		out.next = end
	}
	return false
}

// condition is the state of a load balancer. Once active it stays so; what does
// not work then is told in its reason.
func condition(r store.Reader, lb *store.LoadBalancer, seen *observed) (state, reason string) {
	var troubles []string
	working := 0
	for _, n := range lb.Nodes {
		status, known := seen.nodes[n.InterfaceID]
		switch {
		case known && status.Error == "":
			working++
		case known:
			troubles = append(troubles, fmt.Sprintf("node in %s: %s", n.Zone, status.Error))
		}
	}
	for _, l := range store.Listeners.By(r, "load_balancer", lb.ARN) {
		if trouble, ok := seen.fronts[uint16(l.Port)]; ok {
			troubles = append(troubles, fmt.Sprintf("port %d cannot be reached on this host: %s", l.Port, trouble))
		}
	}
	if state = lb.State; working == len(lb.Nodes) {
		state = "active"
	}
	return state, strings.Join(troubles, "; ")
}
