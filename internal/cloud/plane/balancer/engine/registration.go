//go:build linux

package engine

import (
	"context"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
)

// registration lasts as long as a target stays in the configuration.
type registration struct {
	target balancer.Target
	ctx    context.Context //nolint:containedctx // ends with the registration
	end    context.CancelFunc
}

func keyOf(g *balancer.TargetGroup, t balancer.Target) balancer.TargetKey {
	return balancer.TargetKey{TargetGroup: g.ARN, ID: t.ID, Port: t.Port}
}

// registerTargets registers the new targets of the groups. A target with another address
// than before is a new one. The lock is held.
func (e *Engine) registerTargets(groups []balancer.TargetGroup) {
	for i := range groups {
		for _, t := range groups[i].Targets {
			key := keyOf(&groups[i], t)
			old := e.registered[key]
			if old != nil && old.target.Address == t.Address {
				old.target = t
				continue
			}
			if old != nil {
				e.deregister(key)
			}
			ctx, end := context.WithCancel(e.ctx)
			e.registered[key] = &registration{target: t, ctx: ctx, end: end}
		}
	}
}

// deregisterTargets ends the registration of all targets that are not in the groups. The
// lock is held.
func (e *Engine) deregisterTargets(groups []balancer.TargetGroup) {
	present := map[balancer.TargetKey]bool{}
	for i := range groups {
		for _, t := range groups[i].Targets {
			present[keyOf(&groups[i], t)] = true
		}
	}
	for key := range e.registered {
		if !present[key] {
			e.deregister(key)
		}
	}
}

func (e *Engine) deregister(key balancer.TargetKey) {
	e.registered[key].end()
	delete(e.registered, key)
	delete(e.health, key)
}
