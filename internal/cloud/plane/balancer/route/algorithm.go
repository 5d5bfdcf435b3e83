//go:build linux

package route

import "time"

// The algorithms other than round robin (Application Load Balancer guide, Routing
// algorithms). Without anomaly mitigation, weighted random chooses evenly among the
// healthy targets.
const (
	leastOutstanding = "least_outstanding_requests"
	weightedRandom   = "weighted_random"
)

// next returns the member that gets the next request, or nil if there is none.
func (p *Pool) next(now time.Time) *Member {
	n, open := p.eligible()
	if n == 0 {
		return nil
	}
	switch {
	case p.group.Algorithm == leastOutstanding:
		return p.leastOutstanding(n, open)
	case p.group.Algorithm == weightedRandom:
		return p.nth(p.roll(n), open)
	case p.slowStart != nil && !open:
		if m := p.slowStart.choose(p, now); m != nil {
			return m
		}
	}
	return p.nth(int((p.turn.Add(1)-1)%uint64(n)), open)
}

// nth returns the eligible member of that number. If members become unhealthy while
// it counts, it returns the last eligible one.
func (p *Pool) nth(n int, open bool) *Member {
	var last *Member
	for _, m := range p.members {
		if !m.eligible(open) {
			continue
		}
		if last = m; n == 0 {
			return m
		}
		n--
	}
	if last == nil && len(p.members) > 0 {
		return p.members[0]
	}
	return last
}

// leastOutstanding returns the eligible member with the fewest requests in flight from
// this node. Members with equally few take turns.
func (p *Pool) leastOutstanding(n int, open bool) *Member {
	first := int((p.turn.Add(1) - 1) % uint64(n))
	var best, wrapped *Member
	var least, leastWrapped int64
	for _, m := range p.members {
		if !m.eligible(open) {
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
	if best == nil { // all became unhealthy meanwhile
		return p.members[0]
	}
	return best
}
