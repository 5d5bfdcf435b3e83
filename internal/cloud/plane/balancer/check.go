package balancer

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// While a target that was just registered refuses connections it is asked this
// often, for at most one interval of its health check, and its refusals are not
// counted: the registration is in progress. AWS takes some seconds for that
// before its first check; here a target that starts meanwhile is in rotation at
// once.
const knock = 200 * time.Millisecond

// knockTimeout bounds one such question: a machine that is still starting
// answers nothing at all.
const knockTimeout = time.Second

// prober asks a target once, allowing connect for the connection to come about.
// It returns when the answer came or ctx ended.
type prober func(ctx context.Context, connect time.Duration) outcome

// checker watches one target from one node.
type checker struct {
	probe   prober
	check   HealthCheck
	changed func() // called after the health changed

	mu      sync.Mutex
	verdict verdict
	well    atomic.Bool // verdict says healthy
}

func newChecker(probe prober, check HealthCheck, changed func()) *checker {
	return &checker{probe: probe, check: check, changed: changed, verdict: verdict{health: registering}}
}

// health is the node's present opinion.
func (c *checker) health() Health {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.verdict.health
}

// healthy tells whether the node's present opinion is that. It costs no lock,
// for it is asked several times a request.
func (c *checker) healthy() bool { return c.well.Load() }

// since is when the present opinion came about; zero: it is the first.
func (c *checker) since() time.Time { return c.judged().since }

// resume goes on from the verdict of another checker of the same target.
func (c *checker) resume(from verdict) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.verdict = from
	c.well.Store(from.health == healthy)
}

// run checks at once and then every interval, until ctx ends.
func (c *checker) run(ctx context.Context) {
	started := time.Now()
	for c.health() == registering {
		connect, knocking := c.check.Timeout, time.Since(started) < c.check.Interval
		if knocking {
			connect = min(knockTimeout, connect)
		}
		o := c.ask(ctx, connect)
		if ctx.Err() != nil {
			return
		}
		if o.connected || !knocking {
			c.conclude(o)
		} else if !wait(ctx, time.After(knock), nil) {
			return
		}
	}
	tick := time.NewTicker(c.check.Interval)
	defer tick.Stop()
	for wait(ctx, tick.C, nil) {
		if o := c.ask(ctx, c.check.Timeout); ctx.Err() == nil {
			c.conclude(o)
		}
	}
}

func (c *checker) ask(ctx context.Context, connect time.Duration) outcome {
	ctx, cancel := context.WithTimeout(ctx, c.check.Timeout)
	defer cancel()
	o := c.probe(ctx, connect)
	o.late = o.late || o.code == 0 && ctx.Err() != nil
	return o
}

func (c *checker) conclude(o outcome) {
	c.mu.Lock()
	before := c.verdict.health
	c.verdict = c.verdict.after(o, c.check)
	after := c.verdict.health
	if after != before {
		c.verdict.since = time.Now()
	}
	c.well.Store(after == healthy)
	c.mu.Unlock()
	if after != before {
		c.changed()
	}
}

// judged is the verdict so far.
func (c *checker) judged() verdict {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.verdict
}

// wait waits for the tick or the event; false: ctx ended.
func wait(ctx context.Context, tick <-chan time.Time, event <-chan struct{}) bool {
	select {
	case <-ctx.Done():
		return false
	case <-tick:
	case <-event:
	}
	return ctx.Err() == nil
}
