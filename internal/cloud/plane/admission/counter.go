//go:build linux

package admission

import (
	"sync"
	"sync/atomic"
)

// Limits are the most uses at a time, such as open connections.
type Limits struct{ PerSource, Total int }

// Counter counts the uses of something by their sources, and admits those within its limits.
// Set its fields before the first use.
type Counter[S comparable] struct {
	Limits  Limits
	Pool    *Pool       // what several counters share; nil: nothing
	Favored *Favored[S] // nil: all sources are equal

	mu    sync.Mutex
	total int
	open  map[S]*int
}

// Favored is a source that has what others leave: they have fewer uses together than all, and
// the limit of each does not apply to it.
type Favored[S comparable] struct {
	Source S
	Others int // the most uses of all others together
}

// Pool is a number of uses that several counters share.
type Pool struct {
	Total int64

	open atomic.Int64
}

// enter begins a use unless the pool is empty.
func (p *Pool) enter() bool {
	if p.open.Add(1) > p.Total {
		p.open.Add(-1)
		return false
	}
	return true
}

// Open returns how many uses there are.
func (p *Pool) Open() int { return int(p.open.Load()) }

// Enter reports whether the source may begin another use. If so, the caller calls Leave when
// the use ends.
func (c *Counter[S]) Enter(source S) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	of := c.open[source]
	if c.total >= c.Limits.Total || !c.within(source, of) || c.Pool != nil && !c.Pool.enter() {
		return false
	}
	if of == nil {
		of = new(int)
		if c.open == nil {
			c.open = map[S]*int{}
		}
		c.open[source] = of
	}
	*of++
	c.total++
	return true
}

// number returns what a counted number is; nil is zero.
func number(of *int) int {
	if of == nil {
		return 0
	}
	return *of
}

// within reports whether the source may have more than its present uses. The lock is held.
func (c *Counter[S]) within(source S, of *int) bool {
	if f := c.Favored; f != nil {
		if source == f.Source {
			return true
		}
		if c.total-number(c.open[f.Source]) >= f.Others {
			return false
		}
	}
	return number(of) < c.Limits.PerSource
}

// Leave ends a use that Enter admitted.
func (c *Counter[S]) Leave(source S) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.Pool != nil {
		c.Pool.open.Add(-1)
	}
	c.total--
	of := c.open[source]
	if *of--; *of == 0 {
		delete(c.open, source)
	}
}

// Open returns how many uses the source and all together have.
func (c *Counter[S]) Open(source S) (of, total int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return number(c.open[source]), c.total
}
