package balancer

// The algorithms that are not round robin (Application Load Balancer guide,
// Routing algorithms). Without anomaly mitigation, weighted random chooses among
// the healthy targets evenly.
const (
	leastOutstanding = "least_outstanding_requests"
	weightedRandom   = "weighted_random"
)

// idlest is the eligible member with the fewest requests in flight from this
// node. Those that have equally few take turns.
func (p *pool) idlest(n int, open bool) *member {
	first := int((p.turn.Add(1) - 1) % uint64(n))
	var best, wrapped *member
	var least, leastWrapped int64
	for _, m := range p.members {
		if !m.takes(open) {
			continue
		}
		load := m.outstanding.Load()
		if first > 0 {
			first--
			if wrapped == nil || load < leastWrapped {
				wrapped, leastWrapped = m, load
			}
			continue
		}
		if best == nil || load < least {
			best, least = m, load
		}
	}
	if best == nil || wrapped != nil && leastWrapped < least {
		best = wrapped
	}
	if best == nil { // all fell ill meanwhile
		return p.members[0]
	}
	return best
}
