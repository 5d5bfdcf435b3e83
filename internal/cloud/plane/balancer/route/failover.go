//go:build linux

package route

import "slices"

// FailedOver reports whether the node should leave the load balancer's DNS name: a
// target group to which the listener forwards has too few healthy targets (Elastic
// Load Balancing User Guide, Target group health: DNS failover). A group without any
// target for the node does not count: such a zone stays in the name, and its clients
// get 503 (Application Load Balancer guide, Cross-zone load balancing for target
// groups: best practices).
func (r *Rules) FailedOver() bool {
	return r.fallback.failedOver() ||
		slices.ContainsFunc(r.rules, func(r *rule) bool { return r.action.failedOver() })
}

func (a *Action) failedOver() bool {
	return slices.ContainsFunc(a.pools, func(p *Pool) bool {
		return len(p.members) > 0 && p.group.Failover.Below(p.healthy(), len(p.members))
	})
}
