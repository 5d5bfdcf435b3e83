//go:build linux

package engine

import (
	"cmp"
	"net/netip"
	"slices"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/health"
)

// Status returns what the engine observes now, in a fixed order.
func (e *Engine) Status() balancer.Status {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := balancer.Status{Fronts: e.front.Status()}
	views := map[balancer.TargetKey][]balancer.Health{}
	for key, n := range e.nodes {
		status := balancer.NodeStatus{LoadBalancer: key.loadBalancer, ID: key.id, FailedOver: n.failedOver()}
		if n.err != nil {
			status.Error = n.err.Error()
		}
		s.Nodes = append(s.Nodes, status)
		for target, c := range n.checkers {
			views[target] = append(views[target], c.Health())
		}
	}
	for key, v := range views {
		e.health[key] = health.Agree(e.health[key], v)
		s.Targets = append(s.Targets, balancer.TargetStatus{TargetKey: key, Health: e.health[key]})
	}
	slices.SortFunc(s.Nodes, func(a, b balancer.NodeStatus) int {
		return cmp.Or(cmp.Compare(a.LoadBalancer, b.LoadBalancer), cmp.Compare(a.ID, b.ID))
	})
	slices.SortFunc(s.Targets, func(a, b balancer.TargetStatus) int {
		return cmp.Or(cmp.Compare(a.TargetGroup, b.TargetGroup), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Port, b.Port))
	})
	return s
}

// Changed returns a channel that is closed when the status may have changed since
// this call.
func (e *Engine) Changed() <-chan struct{} {
	e.watchMu.Lock()
	defer e.watchMu.Unlock()
	return e.watch
}

// notify tells those who wait for Changed.
func (e *Engine) notify() {
	e.watchMu.Lock()
	defer e.watchMu.Unlock()
	close(e.watch)
	e.watch = make(chan struct{})
}

// failedOver reports whether the node with that public address should leave its load
// balancer's DNS name.
func (e *Engine) failedOver(public netip.Addr) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, n := range e.nodes {
		if n.conf.Public == public {
			return n.failedOver()
		}
	}
	return false
}
