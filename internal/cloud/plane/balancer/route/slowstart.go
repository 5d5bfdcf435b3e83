//go:build linux

package route

import (
	"maps"
	"sync"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
)

// slowStart tracks the members of a pool in slow start mode: the share of a target
// that became healthy grows linearly until it is full (Application Load Balancer
// guide, Slow start mode). All versions of the pool share it.
type slowStart struct {
	mu      sync.Mutex
	ramps   map[balancer.TargetKey]*ramp // of the healthy members
	initial map[balancer.TargetKey]bool  // the group's first targets: their shares are full at once
}

// ramp is the state of one member.
type ramp struct {
	since time.Time // when the member became healthy
	full  bool      // its share is full
}

// newSlowStart returns the slow start of a new version of a pool. Targets that are
// healthy when slow start is enabled do not enter it. Neither do the first targets of
// an empty group that are registered together.
func newSlowStart(p, before *Pool) *slowStart {
	var s *slowStart
	if before != nil {
		s = before.slowStart
	}
	if s == nil {
		s = &slowStart{ramps: map[balancer.TargetKey]*ramp{}, initial: map[balancer.TargetKey]bool{}}
		for _, m := range p.members {
			if before == nil {
				s.initial[p.key(m)] = true
			} else if m.Checker.Healthy() {
				s.ramps[p.key(m)] = &ramp{since: m.Checker.Since(), full: true}
			}
		}
		return s
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	present := map[balancer.TargetKey]bool{}
	for _, m := range p.members {
		present[p.key(m)] = true
	}
	maps.DeleteFunc(s.ramps, func(key balancer.TargetKey, _ *ramp) bool { return !present[key] })
	maps.DeleteFunc(s.initial, func(key balancer.TargetKey, _ bool) bool { return !present[key] })
	if len(before.members) == 0 {
		s.initial = present
	}
	return s
}

func (p *Pool) key(m *Member) balancer.TargetKey {
	return balancer.TargetKey{TargetGroup: p.group.ARN, ID: m.Target.ID, Port: m.Target.Port}
}

// choose picks a healthy member at random by its share. It returns nil if all shares
// are full or no member is healthy.
func (s *slowStart) choose(p *Pool, now time.Time) *Member {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.update(p, now)
	const full = 1 << 20
	share := func(m *Member) int {
		r := s.ramps[p.key(m)]
		switch {
		case r == nil:
			return 0
		case r.full:
			return full
		}
		return max(1, int(full*now.Sub(r.since)/p.group.SlowStart))
	}
	total, partial := 0, false
	for _, m := range p.members {
		n := share(m)
		total += n
		partial = partial || n > 0 && n < full
	}
	if !partial {
		return nil
	}
	roll := p.roll(total)
	for _, m := range p.members {
		n := share(m)
		if roll < n {
			return m
		}
		roll -= n
	}
	return nil
}

// update follows the members' health and the time.
func (s *slowStart) update(p *Pool, now time.Time) {
	for _, m := range p.members {
		key := p.key(m)
		r := s.ramps[key]
		switch {
		case !m.Checker.Healthy():
			delete(s.ramps, key)
		case r == nil || !r.since.Equal(m.Checker.Since()):
			s.ramps[key] = &ramp{since: m.Checker.Since(), full: s.initial[key] || !s.anyFull(p, key)}
			delete(s.initial, key)
		case !r.full && now.Sub(r.since) >= p.group.SlowStart:
			r.full = true
		}
	}
}

// anyFull reports whether a healthy member other than the given one has its full
// share. If none has, nobody could take the requests that slow start withholds.
func (s *slowStart) anyFull(p *Pool, except balancer.TargetKey) bool {
	for _, m := range p.members {
		key := p.key(m)
		if r := s.ramps[key]; key != except && r != nil && r.full && m.Checker.Healthy() {
			return true
		}
	}
	return false
}
