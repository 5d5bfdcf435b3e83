//go:build linux

// Package balancers runs the load balancers of Elastic Load Balancing. A loop reads
// their rows, configures the balancer plane, and records the health of nodes and
// targets in the rows.
package balancers

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/store"
)

// Balancer is the part of the balancer plane that the loop uses.
type Balancer interface {
	Set(ctx context.Context, config balancer.Config) error
	Follow(ctx context.Context, each func(balancer.Status)) error
}

var _ Balancer = (*balancer.Client)(nil)

// Network is the part of the network loop that this loop uses. Sync returns when the
// kernel's network, including the nodes, matches the store.
type Network interface {
	Sync(ctx context.Context) error
}

// retryDelay is the pause after an error.
const retryDelay = 500 * time.Millisecond

// Loop drives all load balancers of all regions. Fill the fields, then call Run once.
type Loop struct {
	Store     *store.Store
	Balancer  Balancer
	Network   Network
	Namespace func(interfaceID string) string // returns the path of a node's network namespace
	Logs      string                          // folder of access logs on their way; empty: no access logs
	Buckets   Buckets                         // where access logs go; not nil if there are any
	Log       *slog.Logger
	Manners   *manners.Set // nil: a kind cloud
	// Neighbours returns the names that others serve at ports of the loopback; nil: there are none.
	Neighbours func(r store.Reader) []balancer.Neighbour

	mu     sync.Mutex
	status *statusIndex // nil: the balancer has reported nothing since it was configured
	wake   chan struct{}
}

// Run drives the load balancers until ctx ends. It leaves them running for the next
// run.
func (l *Loop) Run(ctx context.Context) error {
	l.wake = make(chan struct{}, 1)
	group, ctx := errgroup.WithContext(ctx)
	configured := make(chan struct{}, 1) // a balancer without a follower was configured
	lost := make(chan struct{}, 1)       // the balancer exited
	group.Go(func() error { return l.watchRows(ctx) })
	group.Go(func() error { return l.followStatus(ctx, configured, lost) })
	group.Go(func() error { return l.drive(ctx, configured, lost) })
	group.Go(func() error { return l.deliverLogs(ctx) })
	if err := group.Wait(); ctx.Err() == nil {
		return err
	}
	return nil
}

// notify signals a channel of capacity 1, unless a signal is already pending.
func notify(to chan<- struct{}) {
	select {
	case to <- struct{}{}:
	default:
	}
}

// watchRows wakes the loop when a row that it reads changes.
func (l *Loop) watchRows(ctx context.Context) error {
	for {
		view := l.Store.View()
		notify(l.wake)
		err := view.Changed(ctx, store.LoadBalancers, store.Listeners, store.Certificates, store.Rules,
			store.ServerCertificates, store.TargetGroups, store.Targets,
			store.Instances, store.NetworkInterfaces, store.HostedZones,
			store.RecordSets, store.InstanceConnectEndpoints, store.Subscriptions)
		if err != nil {
			return fmt.Errorf("watch the rows of load balancers: %w", err)
		}
	}
}

// followStatus keeps the balancer's latest status. When the balancer exits, it signals
// lost and waits until the balancer is configured again.
func (l *Loop) followStatus(ctx context.Context, configured <-chan struct{}, lost chan<- struct{}) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-configured:
		}
		err := l.Balancer.Follow(ctx, func(s balancer.Status) { l.setStatus(newStatusIndex(s)) })
		if ctx.Err() != nil {
			return ctx.Err()
		}
		l.Log.Warn("lost the balancer", "error", err)
		l.setStatus(nil)
		notify(lost)
	}
}

func (l *Loop) setStatus(s *statusIndex) {
	l.mu.Lock()
	l.status = s
	l.mu.Unlock()
	notify(l.wake)
}

// drive configures the balancer and records its status whenever the rows or the status
// change, and when something that takes its time is done.
func (l *Loop) drive(ctx context.Context, configured chan<- struct{}, lost <-chan struct{}) error {
	var current *balancer.Config // nil: unknown, so configure the balancer in any case
	for {
		view := l.Store.View()
		var timer <-chan time.Time
		config := configFor(view, l.Namespace, l.Logs, time.Now())
		if l.Neighbours != nil {
			config.Neighbours = l.Neighbours(view)
		}
		if current == nil || !reflect.DeepEqual(*current, config) {
			if err := l.apply(ctx, config, current); err != nil {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				l.Log.Error("configure the balancer", "error", err)
				current, timer = nil, time.After(retryDelay)
			} else {
				if current == nil {
					notify(configured)
				}
				current = &config
			}
		}
		next, err := l.recordStatus()
		if err != nil {
			l.Log.Error("record the balancer's status", "error", err)
			timer = time.After(retryDelay)
		} else if timer == nil && !next.IsZero() {
			timer = time.After(time.Until(next))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-lost:
			current = nil
		case <-l.wake:
		case <-timer:
		}
	}
}

// apply configures the balancer. If nodes changed, it synchronizes the network first.
func (l *Loop) apply(ctx context.Context, config balancer.Config, before *balancer.Config) error {
	if before == nil || !reflect.DeepEqual(nodesOf(config), nodesOf(*before)) {
		if err := l.Network.Sync(ctx); err != nil {
			return fmt.Errorf("connect the load balancers' nodes: %w", err)
		}
	}
	return l.Balancer.Set(ctx, config)
}

func nodesOf(c balancer.Config) map[string]balancer.Node {
	out := map[string]balancer.Node{}
	for _, lb := range c.LoadBalancers {
		for _, n := range lb.Nodes {
			out[n.ID] = n
		}
	}
	return out
}

// recordStatus writes the status to rows that differ from it. It returns when to do so
// again even if nothing changes; zero means never.
func (l *Loop) recordStatus() (next time.Time, err error) {
	l.mu.Lock()
	status := l.status
	l.mu.Unlock()
	changes := compare(l.Store.View(), status, time.Now())
	if changes.empty() {
		return changes.next, nil
	}
	err = l.Store.Update(func(tx *store.Tx) error {
		changes = compare(tx, status, time.Now()) // again: rows may have changed since
		changes.write(tx)
		return nil
	})
	return changes.next, err
}
