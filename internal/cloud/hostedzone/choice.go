package hostedzone

import (
	"slices"

	"aloft.dev/aloft/internal/cloud/store"
)

// maxMultivalue limits the record sets in an answer with multivalue answer routing (Amazon
// Route 53 Developer Guide, "Multivalue answer routing").
const maxMultivalue = 8

// Choice selects among the record sets of a name and a type by their routing policy.
type Choice struct {
	Region string          // where the question comes from
	Number func(n int) int // returns a random number below n
}

// Of returns the record sets to answer with: the healthy ones, or all if none is healthy.
//
// All regions of the local cloud have the same latency. Latency routing selects the record set of the
// client's region, or any if that region has none.
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

// weighted selects a set at random, in proportion to its weight. If all weights are zero, every set is equally
// likely.
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

// preferred returns the first set that is wanted, or a random one if none is.
func (c Choice) preferred(sets []*store.RecordSet, wanted func(*store.RecordSet) bool) []*store.RecordSet {
	i := slices.IndexFunc(sets, wanted)
	if i < 0 {
		i = c.Number(len(sets))
	}
	return sets[i : i+1]
}

// several returns at most maxMultivalue of the sets, in random order.
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
