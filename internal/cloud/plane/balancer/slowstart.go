package balancer

import (
	"maps"
	"sync"
	"time"
)

// warming follows the targets of a pool in slow start: the share of one that
// has become healthy grows evenly until it is full (Application Load Balancer
// guide, Slow start mode). It is shared by all versions of the pool.
type warming struct {
	mu       sync.Mutex
	of       map[TargetKey]*warmth
	founders map[TargetKey]bool // the first targets of the group: their shares are full at once
}

// warmth is one target's.
type warmth struct {
	since time.Time // it is healthy without a break
	full  bool      // it is not in slow start
}

// warm makes the warming of a new version of a pool. Targets that are healthy
// when slow start is switched on do not enter it; neither do the first ones of
// an empty group, registered together.
func warm(p, before *pool) *warming {
	var w *warming
	if before != nil {
		w = before.warming
	}
	if w == nil {
		w = &warming{of: map[TargetKey]*warmth{}, founders: map[TargetKey]bool{}}
		for _, m := range p.members {
			if before == nil {
				w.founders[p.key(m)] = true
			} else if m.checker.healthy() {
				w.of[p.key(m)] = &warmth{since: m.checker.since(), full: true}
			}
		}
		return w
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	present := map[TargetKey]bool{}
	for _, m := range p.members {
		present[p.key(m)] = true
	}
	gone := func(key TargetKey) bool { return !present[key] }
	maps.DeleteFunc(w.of, func(key TargetKey, _ *warmth) bool { return gone(key) })
	maps.DeleteFunc(w.founders, func(key TargetKey, _ bool) bool { return gone(key) })
	if len(before.members) == 0 {
		w.founders = present
	}
	return w
}

func (p *pool) key(m *member) TargetKey { return TargetKey{p.group.ARN, m.target.ID, m.target.Port} }

// choose picks a healthy member by its share; nil: all shares are full, or
// there is no healthy member any more.
func (w *warming) choose(p *pool, now time.Time) *member {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.look(p, now)
	const full = 1 << 20
	total, partial := 0, false
	share := func(m *member) int {
		t := w.of[p.key(m)]
		switch {
		case t == nil:
			return 0
		case t.full:
			return full
		}
		return max(1, int(full*now.Sub(t.since)/p.group.SlowStart))
	}
	for _, m := range p.members {
		s := share(m)
		total += s
		partial = partial || s > 0 && s < full
	}
	if !partial {
		return nil
	}
	roll := p.roll(total)
	for _, m := range p.members {
		s := share(m)
		if roll < s {
			return m
		}
		roll -= s
	}
	return nil
}

// look notes who has become healthy, ill, or warm.
func (w *warming) look(p *pool, now time.Time) {
	for _, m := range p.members {
		key := p.key(m)
		t := w.of[key]
		switch {
		case !m.checker.healthy():
			delete(w.of, key)
		case t == nil || !t.since.Equal(m.checker.since()):
			since := m.checker.since()
			w.of[key] = &warmth{since: since, full: w.founders[key] || !w.anyFull(p, key)}
			delete(w.founders, key)
		case !t.full && now.Sub(t.since) >= p.group.SlowStart:
			t.full = true
		}
	}
}

// anyFull tells whether another target is healthy and not in slow start: only
// then is there any use in sparing this one.
func (w *warming) anyFull(p *pool, but TargetKey) bool {
	for _, m := range p.members {
		key := p.key(m)
		if t := w.of[key]; key != but && t != nil && t.full && m.checker.healthy() {
			return true
		}
	}
	return false
}
