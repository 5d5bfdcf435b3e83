//go:build linux

package balancers

import "aloft.dev/aloft/internal/cloud/store"

// targetGroupUse is how a target group is used.
type targetGroupUse struct {
	by    *store.LoadBalancer // the load balancer that sends it requests; nil: none
	zones map[string]bool     // zones enabled for the load balancer
}

// useOf finds the load balancer that sends requests to the group. AWS allows at most
// one.
func useOf(r store.Reader, group *store.TargetGroup) targetGroupUse {
	for _, l := range store.Listeners.InRegion(r, group.Region) {
		if !forwards(r, l, group.ARN) {
			continue
		}
		lb, ok := store.LoadBalancers.Get(r, l.LoadBalancerARN)
		if !ok {
			continue
		}
		return useBy(lb)
	}
	return targetGroupUse{}
}

// useBy returns the use by a load balancer.
func useBy(lb *store.LoadBalancer) targetGroupUse {
	use := targetGroupUse{by: lb, zones: map[string]bool{}}
	for _, n := range lb.Nodes {
		use.zones[n.Zone] = true
	}
	return use
}

// forwards reports whether the listener or one of its rules forwards requests to the
// group.
func forwards(r store.Reader, l *store.Listener, group string) bool {
	if anyForwards(l.Actions, group) {
		return true
	}
	for _, rule := range store.RulesByListener.List(r, l.ARN) {
		if anyForwards(rule.Actions, group) {
			return true
		}
	}
	return false
}

func anyForwards(actions []store.Action, group string) bool {
	for _, a := range actions {
		for _, share := range a.Forward {
			if share.ARN == group {
				return true
			}
		}
	}
	return false
}
