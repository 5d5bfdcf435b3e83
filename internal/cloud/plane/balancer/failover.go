package balancer

import "slices"

// failsOver tells that the node should leave the load balancer's name: a target
// group that one of its listeners sends requests to has too few healthy targets (Elastic
// Load Balancing User Guide, Target group health: DNS failover). A group without
// any target for the node does not count: such a zone stays in the name and its
// clients get 503 (Application Load Balancer guide, Cross-zone load balancing
// for target groups: best practices).
func (n *node) failsOver() bool {
	for _, p := range *n.table.Load() {
		if p.failsOver() {
			return true
		}
	}
	return false
}

func (p *plan) failsOver() bool {
	if p.fallback.failsOver() {
		return true
	}
	return slices.ContainsFunc(p.rules, func(r *compiledRule) bool { return r.action.failsOver() })
}

func (a *compiledAction) failsOver() bool {
	return slices.ContainsFunc(a.pools, func(p *pool) bool {
		return len(p.members) > 0 && p.group.Failover.Below(p.healthy(), len(p.members))
	})
}
