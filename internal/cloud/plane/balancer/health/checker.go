//go:build linux

// Package health checks the health of targets as the nodes of an Application Load
// Balancer do, and merges what the nodes of a load balancer find.
package health

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
)

// A newly registered target that refuses connections is probed every
// startInterval, for at most one interval of its health check. Refusals during that
// time do not count: the registration is in progress. AWS takes some seconds
// before its first check; here a target that starts meanwhile is in rotation at once.
const startInterval = 200 * time.Millisecond

// startTimeout bounds the connection of such a probe: a machine that is still
// booting does not respond at all.
const startTimeout = time.Second

// Checker checks one target from one node.
type Checker struct {
	probe   Prober
	check   balancer.HealthCheck
	changed func() // called after the health changed

	mu      sync.Mutex
	verdict Verdict
	healthy atomic.Bool // the verdict is Healthy; read without mu
}

// New returns a checker of a newly registered target. It calls changed after each
// change of the target's health.
func New(probe Prober, check balancer.HealthCheck, changed func()) *Checker {
	return &Checker{probe: probe, check: check, changed: changed, verdict: Verdict{Health: balancer.Registering}}
}

// Healthy reports whether the target is healthy. It takes no lock, because every
// request calls it several times.
func (c *Checker) Healthy() bool { return c.healthy.Load() }

// Health returns the target's health from the node's point of view.
func (c *Checker) Health() balancer.Health { return c.Verdict().Health }

// Since returns when the health last changed. It is zero for a target whose health
// never changed.
func (c *Checker) Since() time.Time { return c.Verdict().Since }

// Verdict returns the present verdict.
func (c *Checker) Verdict() Verdict {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.verdict
}

// Resume continues from the verdict of another checker of the same target.
func (c *Checker) Resume(from Verdict) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.verdict = from
	c.healthy.Store(from.Health == Healthy)
}

// Run checks the target at once and then every interval, until ctx ends.
func (c *Checker) Run(ctx context.Context) {
	if c.Health() == balancer.Registering && !c.start(ctx) {
		return
	}
	tick := time.NewTicker(c.check.Interval)
	defer tick.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-tick.C:
			c.checkOnce(ctx, c.check.Timeout)
		}
	}
}

// start probes a new target until it has a verdict. It returns false if ctx ended
// before.
func (c *Checker) start(ctx context.Context) bool {
	began := time.Now()
	for c.Health() == balancer.Registering {
		if time.Since(began) >= c.check.Interval {
			c.checkOnce(ctx, c.check.Timeout)
		} else if o := c.runProbe(ctx, min(startTimeout, c.check.Timeout)); o.Connected && ctx.Err() == nil {
			c.conclude(o)
		} else {
			select {
			case <-ctx.Done():
			case <-time.After(startInterval):
			}
		}
		if ctx.Err() != nil {
			return false
		}
	}
	return true
}

// checkOnce makes one check. A check that ctx cut short does not count.
func (c *Checker) checkOnce(ctx context.Context, connect time.Duration) {
	if o := c.runProbe(ctx, connect); ctx.Err() == nil {
		c.conclude(o)
	}
}

// runProbe probes the target once, within the check's timeout. connect bounds how long
// the connection may take.
func (c *Checker) runProbe(ctx context.Context, connect time.Duration) Outcome {
	ctx, cancel := context.WithTimeout(ctx, c.check.Timeout)
	defer cancel()
	o := c.probe(ctx, connect)
	o.TimedOut = o.TimedOut || !o.Answered && ctx.Err() != nil
	return o
}

// conclude updates the verdict with the outcome of a check.
func (c *Checker) conclude(o Outcome) {
	c.mu.Lock()
	before := c.verdict.Health
	c.verdict = c.verdict.after(o, c.check)
	after := c.verdict.Health
	if after != before {
		c.verdict.Since = time.Now()
	}
	c.healthy.Store(after == Healthy)
	c.mu.Unlock()
	if after != before {
		c.changed()
	}
}
