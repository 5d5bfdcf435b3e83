package hostedzone

import (
	"slices"

	"aloft.dev/aloft/internal/cloud/store"
)

// maxMultivalue is the most record sets with multivalue answer routing that an answer holds (Amazon
// Route 53 Developer Guide, "Multivalue answer routing").
const maxMultivalue = 8

// Choice chooses among the record sets of a name and a type by their routing policy.
type Choice struct {
	Region string          // where the question comes from
	Number func(n int) int // returns a random number below n
}

// Of returns the record sets of an answer. Those that are not healthy are not in it, unless none is.
//
// The latencies among the local cloud's regions are the same, so latency routing chooses the record set of
// the questioner's region, and if there is none any.
func (c Choice) Of(r store.Reader, sets []*store.RecordSet) []*store.RecordSet {
	if len(sets) == 0 || sets[0].Routing.Policy == store.SimpleRouting {
		return sets
	}
	usable := healthySets(r, sets, maxChain)
	if len(usable) == 0 {
		usable = sets
	}
	switch sets[0].Routing.Policy {
	case store.WeightedRouting:
		return c.weighted(usable)
	case store.LatencyRouting:
		return c.preferred(usable, func(set *store.RecordSet) bool { return set.Routing.Region == c.Region })
	case store.FailoverRouting:
		return c.preferred(usable, func(set *store.RecordSet) bool { return set.Routing.Failover == "PRIMARY" })
	}
	return c.several(usable)
}

// weighted returns one of the sets with the probability of its share of all weights. If no set has any weight,
// all have the same probability.
func (c Choice) weighted(sets []*store.RecordSet) []*store.RecordSet {
	total := 0
	for _, set := range sets {
		total += int(set.Routing.Weight)
	}
	if total == 0 {
		return c.preferred(sets, func(*store.RecordSet) bool { return false })
	}
	at := c.Number(total)
	for i, set := range sets {
		if at -= int(set.Routing.Weight); at < 0 {
			return sets[i : i+1]
		}
	}
	return nil
}

// preferred returns the set that is preferred, and any if none is.
func (c Choice) preferred(sets []*store.RecordSet, is func(*store.RecordSet) bool) []*store.RecordSet {
	i := slices.IndexFunc(sets, is)
	if i < 0 {
		i = c.Number(len(sets))
	}
	return sets[i : i+1]
}

// several returns as many of the sets as an answer holds, in random order.
func (c Choice) several(sets []*store.RecordSet) []*store.RecordSet {
	shuffled := slices.Clone(sets)
	for i := range shuffled {
		j := i + c.Number(len(shuffled)-i)
		shuffled[i], shuffled[j] = shuffled[j], shuffled[i]
	}
	return shuffled[:min(len(shuffled), maxMultivalue)]
}

// healthySets returns the sets that are healthy. Aliases that evaluate the health of their targets lead through
// at most depth others.
func healthySets(r store.Reader, sets []*store.RecordSet, depth int) []*store.RecordSet {
	return slices.DeleteFunc(slices.Clone(sets), func(set *store.RecordSet) bool {
		alias := set.Alias
		switch {
		case alias == nil || !alias.EvaluateHealth:
			return false
		case alias.ZoneID == set.ZoneID:
			target := recordSets(r, set.ZoneID, alias.Name, set.Type)
			return depth == 0 || len(healthySets(r, target, depth-1)) == 0
		}
		lb := LoadBalancer(r, alias.Name)
		return lb != nil && !servesHealthily(r, lb)
	})
}

// servesHealthily reports whether each target group of a load balancer has a healthy target (Amazon Route 53
// Developer Guide, "Values specific for simple alias records", Evaluate target health).
func servesHealthily(r store.Reader, lb *store.LoadBalancer) bool {
	for _, listener := range store.ListenersByLoadBalancer.List(r, lb.ARN) {
		actions := slices.Clone(listener.Actions)
		for _, rule := range store.RulesByListener.List(r, listener.ARN) {
			actions = append(actions, rule.Actions...)
		}
		for _, action := range actions {
			for _, group := range action.Forward {
				if !slices.ContainsFunc(store.TargetsByTargetGroup.List(r, group.ARN), isHealthy) {
					return false
				}
			}
		}
	}
	return true
}

func isHealthy(target *store.Target) bool { return target.State == "healthy" }
