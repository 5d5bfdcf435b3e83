package balancer

import (
	"math/rand/v2"
	"strconv"
	"sync/atomic"
	"time"
)

// member is a target as one node sees it.
type member struct {
	target  Target
	checker *checker

	upstreams   *upstreams    // the node's connections to it
	counts      *groupCounts  // of its target group
	outstanding *atomic.Int64 // requests that have begun and not ended; shared by all versions of the pool
}

// begin and end count the requests that are in flight.
func (m *member) begin() { m.outstanding.Add(1) }
func (m *member) end()   { m.outstanding.Add(-1) }

// pool is a target group as one node sees it.
type pool struct {
	group   *TargetGroup
	token   token           // names the group in cookies
	members []*member       // those that take new requests
	turn    *atomic.Uint64  // shared by all versions of the pool
	tokens  []token         // of the members, in cookies; nil: the group is not sticky
	warming *warming        // nil: there is no slow start
	roll    func(n int) int // a random number below n
}

// newPool is the target group as the node in the zone sees it. members are all
// its targets that do not drain; before is the node's last version of the pool,
// or nil. With cross-zone load balancing off, the node uses the targets of its
// own zone and those that are registered for all zones (Application Load
// Balancer guide, Turn off cross-zone load balancing).
func newPool(group *TargetGroup, zone string, members []*member, before *pool) *pool {
	p := &pool{group: group, token: tokenOf(group.ARN), turn: &atomic.Uint64{}, roll: rand.IntN}
	flights := map[Target]*atomic.Int64{}
	if before != nil {
		p.turn = before.turn
		for _, m := range before.members {
			flights[m.target] = m.outstanding
		}
	}
	for _, m := range members {
		if m.outstanding = flights[m.target]; m.outstanding == nil {
			m.outstanding = &atomic.Int64{}
		}
		if at := m.target.Zone; !group.ZoneOnly || at == zone || at == "" || at == "all" {
			p.members = append(p.members, m)
		}
	}
	if group.Sticky != nil {
		for _, m := range p.members {
			p.tokens = append(p.tokens, tokenOf(m.target.ID, strconv.Itoa(int(m.target.Port))))
		}
	}
	if group.SlowStart > 0 {
		p.warming = warm(p, before)
	}
	return p
}

// healthy counts the members that pass their checks.
func (p *pool) healthy() int {
	n := 0
	for _, m := range p.members {
		if m.checker.healthy() {
			n++
		}
	}
	return n
}

// eligible counts the members that take requests now: the healthy ones, or all
// when those are too few (open; Application Load Balancer guide, Health checks
// for target groups: the load balancer fails open; Target group health: routing
// failover).
func (p *pool) eligible() (n int, open bool) {
	n = p.healthy()
	if n == 0 || p.group.FailOpen.Below(n, len(p.members)) {
		return len(p.members), true
	}
	return n, false
}

// takes tells whether the member is one of the eligible.
func (m *member) takes(open bool) bool { return open || m.checker.healthy() }

// nth is the eligible member of that number. One that falls ill while it is
// counted makes the last one take its place.
func (p *pool) nth(n int, open bool) *member {
	var last *member
	for _, m := range p.members {
		if !m.takes(open) {
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

// next chooses the target of a request; nil: there is none.
func (p *pool) next(now time.Time) *member {
	n, open := p.eligible()
	if n == 0 {
		return nil
	}
	switch {
	case p.group.Algorithm == leastOutstanding:
		return p.idlest(n, open)
	case p.group.Algorithm == weightedRandom:
		return p.nth(p.roll(n), open)
	case p.warming != nil && !open:
		if m := p.warming.choose(p, now); m != nil {
			return m
		}
	}
	return p.nth(int((p.turn.Add(1)-1)%uint64(n)), open)
}
