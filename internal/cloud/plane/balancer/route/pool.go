//go:build linux

package route

import (
	"math/rand/v2"
	"strconv"
	"sync/atomic"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/health"
)

// Member is a target from the point of view of one node.
type Member struct {
	Checker *health.Checker
	Owner   any // what the caller of Choose knows the member as
	Target  balancer.Target

	outstanding *atomic.Int64 // requests in flight; shared by all versions of the pool
}

// Begin counts a request that is in flight until End.
func (m *Member) Begin() { m.outstanding.Add(1) }

// End ends a request that Begin counted.
func (m *Member) End() { m.outstanding.Add(-1) }

// eligible reports whether the member receives requests; open: of an open pool.
func (m *Member) eligible(open bool) bool { return open || m.Checker.Healthy() }

// Pool is a target group from the point of view of one node.
type Pool struct {
	group     *balancer.TargetGroup
	token     token           // names the group in cookies
	members   []*Member       // those that receive new requests
	elsewhere bool            // the group has others, which only nodes of other zones use
	turn      *atomic.Uint64  // shared by all versions of the pool
	tokens    []token         // name the members in cookies; nil: the group is not sticky
	slowStart *slowStart      // nil: the group has none
	roll      func(n int) int // a random number below n
}

// NewPool returns the target group for a node in the zone. members are all its
// targets that do not drain. before is the node's last version of the pool, whose
// state carries over, or nil. With cross-zone load balancing off, the node uses the
// targets of its own zone and those registered for all zones (Application Load
// Balancer guide, Turn off cross-zone load balancing).
func NewPool(group *balancer.TargetGroup, zone string, members []*Member, before *Pool) *Pool {
	p := &Pool{group: group, token: tokenOf(group.ARN), turn: &atomic.Uint64{}, roll: rand.IntN}
	outstanding := map[balancer.Target]*atomic.Int64{}
	if before != nil {
		p.turn = before.turn
		for _, m := range before.members {
			outstanding[m.Target] = m.outstanding
		}
	}
	for _, m := range members {
		if m.outstanding = outstanding[m.Target]; m.outstanding == nil {
			m.outstanding = &atomic.Int64{}
		}
		if !group.ZoneOnly || m.Target.Serves(zone) {
			p.members = append(p.members, m)
		}
	}
	p.elsewhere = len(members) > len(p.members)
	if group.Sticky != nil {
		for _, m := range p.members {
			p.tokens = append(p.tokens, tokenOf(m.Target.ID, strconv.Itoa(int(m.Target.Port))))
		}
	}
	if group.SlowStart > 0 {
		p.slowStart = newSlowStart(p, before)
	}
	return p
}

// Members returns the targets that receive new requests. Callers must not modify the
// slice.
func (p *Pool) Members() []*Member { return p.members }

// ZoneOnly reports whether the pool has targets of the node's zone only.
func (p *Pool) ZoneOnly() bool { return p.group.ZoneOnly }

// healthy returns the number of healthy members.
func (p *Pool) healthy() int {
	n := 0
	for _, m := range p.members {
		if m.Checker.Healthy() {
			n++
		}
	}
	return n
}

// eligible returns how many members receive requests now: the healthy ones, or all
// when those are too few (open; Application Load Balancer guide, Health checks for
// target groups: the load balancer fails open; Target group health: routing
// failover).
func (p *Pool) eligible() (n int, open bool) {
	n = p.healthy()
	if n == 0 || p.group.FailOpen.Below(n, len(p.members)) {
		return len(p.members), true
	}
	return n, false
}
