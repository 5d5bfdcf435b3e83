//go:build linux

package simulated

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
)

// Balancer is a balancer plane that carries no traffic. All its nodes work, and Health
// decides the health of its targets.
type Balancer struct {
	Faults
	// Health returns the health of a target that is not draining; nil means that all are healthy.
	Health func(balancer.Target) balancer.Health

	mu      sync.Mutex
	config  balancer.Config
	changed chan struct{}
	crashed chan struct{}
}

// Healthy is the health of a target that passes its checks.
var Healthy = balancer.Health{State: "healthy"}

func (b *Balancer) init() {
	if b.changed == nil {
		b.changed, b.crashed = make(chan struct{}), make(chan struct{})
	}
}

// Set replaces the whole configuration.
func (b *Balancer) Set(_ context.Context, config balancer.Config) error {
	if err := b.recordCall("Set", ""); err != nil {
		return err
	}
	b.mu.Lock()
	b.config = config
	b.mu.Unlock()
	b.RefreshHealth()
	return nil
}

// Config returns the configuration that was set last.
func (b *Balancer) Config() balancer.Config {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.config
}

// Counters returns the counts of a balancer that never served a request.
func (b *Balancer) Counters(context.Context) (balancer.Counters, error) {
	return balancer.Counters{}, nil
}

// Targets returns the counts of no targets.
func (b *Balancer) Targets(context.Context) ([]balancer.TargetCounters, error) { return nil, nil }

// RefreshHealth makes followers query the targets' health again.
func (b *Balancer) RefreshHealth() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.init()
	close(b.changed)
	b.changed = make(chan struct{})
}

// Crash ends every Follow and drops the configuration, as when the balancer's process
// is killed.
func (b *Balancer) Crash() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.init()
	b.config = balancer.Config{}
	close(b.crashed)
	b.crashed = make(chan struct{})
}

// Follow calls each with the current status, and again after every change.
func (b *Balancer) Follow(ctx context.Context, each func(balancer.Status)) error {
	for {
		b.mu.Lock()
		b.init()
		changed, crashed, config := b.changed, b.crashed, b.config
		b.mu.Unlock()
		each(b.status(config))
		select {
		case <-changed:
		case <-crashed:
			return errors.New("follow the balancer: its process was killed")
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (b *Balancer) status(c balancer.Config) balancer.Status {
	var s balancer.Status
	for _, lb := range c.LoadBalancers {
		for _, n := range lb.Nodes {
			s.Nodes = append(s.Nodes, balancer.NodeStatus{LoadBalancer: lb.ARN, ID: n.ID})
		}
		for _, l := range lb.Listeners {
			s.Fronts = append(s.Fronts, balancer.FrontStatus{Port: l.Port})
		}
	}
	for _, g := range c.TargetGroups {
		for _, t := range g.Targets {
			if t.Draining {
				continue
			}
			health := Healthy
			if b.Health != nil {
				health = b.Health(t)
			}
			s.Targets = append(s.Targets, balancer.TargetStatus{
				TargetKey: balancer.TargetKey{TargetGroup: g.ARN, ID: t.ID, Port: t.Port},
				Health:    health,
			})
		}
	}
	return s
}

// String formats load balancers with their nodes and listeners, and target groups with
// their targets.
func (b *Balancer) String() string {
	var out strings.Builder
	c := b.Config()
	for _, lb := range c.LoadBalancers {
		_, _ = fmt.Fprintf(&out, "load balancer %s\n", lb.DNSName)
		for _, n := range lb.Nodes {
			_, _ = fmt.Fprintf(&out, "  node %s %s %s\n", n.Zone, n.Address, n.Public)
		}
		for _, l := range lb.Listeners {
			_, _ = fmt.Fprintf(&out, "  listener %d, %d rules\n", l.Port, len(l.Rules))
		}
	}
	for _, g := range c.TargetGroups {
		_, _ = fmt.Fprintf(&out, "target group, check %s every %s\n", g.Check.Path, g.Check.Interval)
		for _, t := range g.Targets {
			_, _ = fmt.Fprintf(&out, "  target %s:%d draining=%t\n", t.Address, t.Port, t.Draining)
		}
	}
	return out.String()
}
