package elbv2

import (
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/cloud/quota"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// limit returns the error for a number of resources that a quota does not allow, or
// nil. what names the resources. The codes are those of the Elastic Load Balancing API
// Reference; clients report the message about load balancers, and the others follow
// its pattern.
func (a *API) limit(q quota.Quota, count int, code, what string) error {
	if count <= q.Applied(a.manners.Has(manners.Limits)) {
		return nil
	}
	return wire.Errorf(code, "The maximum number of %s has been reached", what)
}

// limitLoadBalancers returns the error for one more load balancer like lb, or nil.
func (a *API) limitLoadBalancers(r store.Reader, lb *store.LoadBalancer) error {
	count := 1
	for _, other := range store.LoadBalancers.InRegion(r, lb.Region) {
		if other.Type == lb.Type {
			count++
		}
	}
	return a.limit(quotasOf(lb).loadBalancers, count, "TooManyLoadBalancers", "load balancers")
}

// quotas are those that depend on the type of a load balancer.
type quotas struct{ loadBalancers, listeners, targets quota.Quota }

func quotasOf(lb *store.LoadBalancer) quotas {
	if lb.IsNetwork() {
		return quotas{quota.NetworkLoadBalancers, quota.NetworkListeners, quota.NetworkTargets}
	}
	return quotas{quota.LoadBalancers, quota.Listeners, quota.Targets}
}

func (a *API) limitTargetGroups(r store.Reader, region identity.Region) error {
	count := len(store.TargetGroups.InRegion(r, region)) + 1
	return a.limit(quota.TargetGroups, count, "TooManyTargetGroups", "target groups")
}

func (a *API) limitListeners(r store.Reader, lb *store.LoadBalancer) error {
	count := len(store.ListenersByLoadBalancer.List(r, lb.ARN)) + 1
	return a.limit(quotasOf(lb).listeners, count, "TooManyListeners", "listeners per load balancer")
}

// limitRules returns the error for one more rule besides a number of rules, or nil.
func (a *API) limitRules(rules int) error {
	most := quota.ListenerRules.Applied(a.manners.Has(manners.Limits))
	if rules < most {
		return nil
	}
	return wire.Errorf("TooManyRules", "The maximum number of rules per load balancer '%d' has been reached", most)
}

// limitTargets returns the error for a target group, or a load balancer that uses it,
// with too many targets, or nil. A target group may have as many targets as an Application
// Load Balancer.
func (a *API) limitTargets(r store.Reader, group *store.TargetGroup) error {
	if !a.manners.Has(manners.Limits) {
		return nil
	}
	total := map[string]int{} // by the ARN of the target group, and of the load balancers
	for _, other := range store.TargetGroups.InRegion(r, group.Region) {
		count := 0
		for _, t := range store.TargetsByTargetGroup.List(r, other.ARN) {
			if t.DeregisteredAt.IsZero() {
				count++
			}
		}
		total[other.ARN] = count
		for _, lb := range loadBalancersOf(r, other) {
			total[lb] += count
		}
	}
	if err := a.limit(quota.Targets, total[group.ARN], "TooManyTargets", "targets per target group"); err != nil {
		return err
	}
	for _, arn := range loadBalancersOf(r, group) {
		lb, ok := store.LoadBalancers.Get(r, arn)
		if !ok {
			continue
		}
		if err := a.limit(quotasOf(lb).targets, total[arn], "TooManyTargets", "targets per load balancer"); err != nil {
			return err
		}
	}
	return nil
}
