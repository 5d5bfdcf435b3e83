//go:build linux

// Package networks keeps the kernel's network in line with the VPCs of the store.
package networks

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"aloft.dev/aloft/internal/cloud/bandwidth"
	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/cloud/plane/network"
	"aloft.dev/aloft/internal/cloud/store"
)

// Plane is the part of the network plane that the loop uses. Set replaces the whole
// configuration. Audit returns what other programs have changed since, which the next Set
// repairs.
type Plane interface {
	Set(ctx context.Context, config network.Config) error
	Audit() (changes []string, err error)
}

const (
	// applyTimeout limits one change of the network.
	applyTimeout = time.Minute
	// Delays between attempts.
	minRetryDelay = 200 * time.Millisecond
	maxRetryDelay = 15 * time.Second
	// auditInterval is how often the loop looks for changes that it has not made.
	auditInterval = 5 * time.Second
)

// Loop applies the store's VPCs to the plane. Fill the fields, then call Run. Sync may
// be called at any time.
type Loop struct {
	Store     *store.Store
	Plane     Plane
	Namespace func(instanceID string) string // returns the path of a machine's network namespace, or ""
	Log       *slog.Logger
	Manners   *manners.Set // nil: a kind cloud
	Bandwidth bandwidth.Setting

	mu      sync.Mutex
	lock    chan struct{} // capacity 1: full while a change is being applied
	pending *change       // the change that applies next; callers still join it
}

// change is one call of the plane, shared by all callers of Sync that came before it
// began.
type change struct {
	done chan struct{}
	err  error
}

// Run applies the network whenever rows change that it depends on, or another program has
// changed what it applied, until ctx ends. It retries after errors.
func (l *Loop) Run(ctx context.Context) error {
	delay := minRetryDelay
	for ctx.Err() == nil {
		view := l.Store.View()
		if err := l.Sync(ctx); err != nil && ctx.Err() == nil {
			l.Log.Warn("apply the network", "error", err)
			l.awaitRows(ctx, view, delay)
			delay = min(2*delay, maxRetryDelay)
			continue
		}
		delay = minRetryDelay
		for !l.awaitRows(ctx, view, auditInterval) && ctx.Err() == nil && !l.damaged() {
		}
	}
	return nil
}

// awaitRows waits until rows change that the network depends on, and reports whether they
// did within the limit.
func (l *Loop) awaitRows(ctx context.Context, since *store.View, limit time.Duration) bool {
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return since.Changed(bounded, store.VPCs, store.Subnets, store.InternetGateways,
		store.EgressOnlyGateways, store.RouteTables,
		store.NetworkACLs, store.SecurityGroups, store.NetworkInterfaces, store.Instances, store.NatGateways,
		store.PrefixLists, store.PeeringConnections, store.VPCEndpoints, store.LoadBalancers, store.Listeners,
		store.TargetGroups, store.Targets, store.FlowLogs) == nil
}

// damaged reports whether another program has changed the network.
func (l *Loop) damaged() bool {
	changes, err := l.Plane.Audit()
	if err != nil {
		l.Log.Warn("audit the network", "error", err)
	}
	for _, change := range changes {
		l.Log.Warn("another program has changed the network: repair it", "change", change)
	}
	return len(changes) > 0
}

// Sync applies the rows as they are now and returns when the plane has them. Callers
// that come while a change is being applied share the next one.
func (l *Loop) Sync(ctx context.Context) error {
	c, lock := l.join()
	select {
	case lock <- struct{}{}:
		defer func() { <-lock }()
	case <-c.done:
		return c.err
	case <-ctx.Done():
		return ctx.Err()
	}
	if !l.begin(c) {
		return c.err // another caller applied it meanwhile
	}
	// Other callers wait for the change too, so it outlives this caller's context.
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), applyTimeout)
	defer cancel()
	if err := l.Plane.Set(bounded, Config(l.Store.View(), l.Namespace, l.Bandwidth)); err != nil {
		c.err = fmt.Errorf("set the network: %w", err)
	}
	close(c.done)
	return c.err
}

// join returns the change that applies next, and the lock to apply it.
func (l *Loop) join() (*change, chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lock == nil {
		l.lock = make(chan struct{}, 1)
	}
	if l.pending == nil {
		l.pending = &change{done: make(chan struct{})}
	}
	return l.pending, l.lock
}

// begin lets no more callers join the change. It returns false if the change has
// already begun.
func (l *Loop) begin(c *change) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.pending != c {
		return false
	}
	l.pending = nil
	return true
}
