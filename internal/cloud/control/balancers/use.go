package balancers

import "aloft.dev/aloft/internal/cloud/store"

// use is who sends requests to a target group, and from which zones.
type use struct {
	by    *store.LoadBalancer // nil: nobody
	zones map[string]bool
}

// usage finds the load balancer that sends requests to the group: there is at
// most one.
func usage(r store.Reader, group *store.TargetGroup) use {
	for _, l := range store.Listeners.By(r, "region", group.Region) {
		if !forwards(r, l, group.ARN) {
			continue
		}
		lb, ok := store.LoadBalancers.Get(r, l.LoadBalancerARN)
		if !ok {
			continue
		}
		u := use{by: lb, zones: map[string]bool{}}
		for _, n := range lb.Nodes {
			u.zones[n.Zone] = true
		}
		return u
	}
	return use{}
}

// forwards tells whether the listener or one of its rules sends requests to the
// group.
func forwards(r store.Reader, l *store.Listener, group string) bool {
	if among(l.Actions, group) {
		return true
	}
	for _, rule := range store.Rules.By(r, "listener", l.ARN) {
		if among(rule.Actions, group) {
			return true
		}
	}
	return false
}

func among(actions []store.Action, group string) bool {
	for _, a := range actions {
		for _, share := range a.Forward {
			if share.ARN == group {
				return true
			}
		}
	}
	return false
}
