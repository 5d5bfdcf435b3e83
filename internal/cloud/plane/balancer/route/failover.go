//go:build linux

package route

import "slices"

// FailedOver reports whether the node should leave the load balancer's DNS name: a
// target group to which the listener forwards has too few healthy targets (Elastic
// Load Balancing User Guide, Target group health: DNS failover). A group whose targets are
// all in other zones counts with a Network Load Balancer only (Network Load Balancer guide,
// Health checks). The node of an Application Load Balancer stays in the name, and its clients
// get 503 (Application Load Balancer guide, Cross-zone load balancing for target groups: best
// practices).
func (r *Rules) FailedOver() bool {
	return r.fallback.failedOver() ||
		slices.ContainsFunc(r.rules, func(r *rule) bool { return r.action.failedOver() })
}

func (a *Action) failedOver() bool {
	return slices.ContainsFunc(a.pools, func(p *Pool) bool {
		if len(p.members) == 0 {
			return p.elsewhere && p.group.LeaveEmptyZones
		}
		return p.group.Failover.Below(p.healthy(), len(p.members))
	})
}
