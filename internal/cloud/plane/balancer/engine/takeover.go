//go:build linux

package engine

import (
	"context"
	"slices"
	"sync"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/health"
)

// Finding is a node's verdict on a target, as the engine that takes over needs it.
type Finding struct {
	LoadBalancer string             `json:"load_balancer"` // its ARN
	Node         string             `json:"node"`          // its ID
	Key          balancer.TargetKey `json:"key"`
	Target       balancer.Target    `json:"target"`
	Health       balancer.Health    `json:"health"`
	Since        time.Time          `json:"since"`
}

// findingKey identifies a finding.
type findingKey struct {
	loadBalancer, node string
	key                balancer.TargetKey
}

// Findings returns all verdicts on targets.
func (e *Engine) Findings() []Finding {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []Finding
	for of, n := range e.nodes {
		for key, c := range n.checkers {
			v := c.Verdict()
			out = append(out, Finding{of.loadBalancer, of.id, key, c.target, v.Health, v.Since})
		}
	}
	return out
}

// Resume makes the first Set continue from the verdicts of an earlier engine, so that no
// target is left out until it has been checked again. Call it before the first Set.
func (e *Engine) Resume(from []Finding) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, f := range from {
		e.resumed[findingKey{f.LoadBalancer, f.Node, f.Key}] = f
	}
}

// resume continues from the verdict of an earlier engine if there is one. The engine's lock
// is held.
func (n *node) resume(c *health.Checker, key balancer.TargetKey, t balancer.Target) {
	f, ok := n.engine.resumed[findingKey{n.lb.ARN, n.conf.ID, key}]
	if ok && f.Target.Address == t.Address && f.Health.State != balancer.Registering.State {
		c.Resume(health.Verdict{Health: f.Health, Since: f.Since})
	}
}

// Retire ends the engine once another one accepts connections at the same sockets. It
// accepts no more, and every response is the last on its connection. An idle connection has
// retireIdle for one more request: closing it at once would fail a request that is on its
// way. What takes longer than retireTimeout, or than ctx, is cut off.
func (e *Engine) Retire(ctx context.Context) {
	e.retiring.Store(true)
	e.mu.Lock()
	for _, n := range e.nodes {
		for at, p := range n.ports {
			_ = p.socket.Close() // but the keeper does not forget it
			delete(n.ports, at)
			e.draining[p] = true
		}
	}
	e.mu.Unlock()
	e.front.Retire()
	for _, p := range e.ports() {
		p.each((*connection).drainStreams)
	}
	ctx, cancel := context.WithTimeout(ctx, retireTimeout)
	defer cancel()
	e.awaitRequests(ctx)
	e.finish(ctx)
	e.Close()
}

// awaitRequests waits until no connection is open, or retireIdle is over.
func (e *Engine) awaitRequests(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, retireIdle)
	defer cancel()
	tick := time.NewTicker(sweepInterval)
	defer tick.Stop()
	for open := true; open && wait(ctx, tick.C); { // first wait: a loop may have just accepted one
		open = slices.ContainsFunc(e.ports(), func(p *port) bool { return p.open() > 0 })
	}
}

// finish waits until all connections have ended or ctx has.
func (e *Engine) finish(ctx context.Context) {
	late := make(chan time.Time)
	defer context.AfterFunc(ctx, func() { close(late) })()
	var ports sync.WaitGroup
	for _, p := range e.ports() {
		ports.Go(func() { p.close(late) })
	}
	ports.Wait()
	e.front.Finish(ctx)
}
