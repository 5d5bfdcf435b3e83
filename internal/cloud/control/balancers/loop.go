// Package balancers makes the wanted load balancers: a loop that reads the
// store, sets the balancer and writes down what it observes of nodes and
// targets.
package balancers

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/store"
)

// Balancer is what the loop needs of the balancer plane.
type Balancer interface {
	Set(ctx context.Context, config balancer.Config) error
	Follow(ctx context.Context, each func(balancer.Status)) error
}

var _ Balancer = (*balancer.Client)(nil)

// Network is what the loop needs of the network loop: the kernel's network as
// it is wanted now, nodes included.
type Network interface {
	Sync(ctx context.Context) error
}

// again is how long the loop waits after something failed.
const again = 500 * time.Millisecond

// Loop drives all load balancers of all regions. Fill the fields, then call Run
// once.
type Loop struct {
	Store     *store.Store
	Balancer  Balancer
	Network   Network
	Namespace func(interfaceID string) string // path of the network namespace of a node
	// folder that stands for S3 as the place of access logs; empty: there are none
	Logs string
	Log  *slog.Logger

	mu   sync.Mutex
	seen *observed // nil: the balancer has said nothing since it was set
	wake chan struct{}
}

// Run drives the load balancers until ctx ends, and leaves them running: the
// next Run takes them over.
func (l *Loop) Run(ctx context.Context) error {
	l.wake = make(chan struct{}, 1)
	group, ctx := errgroup.WithContext(ctx)
	set := make(chan struct{}, 1) // holds one: the balancer was set, follow it
	lost := make(chan struct{}, 1)
	group.Go(func() error { return l.watch(ctx) })
	group.Go(func() error { return l.follow(ctx, set, lost) })
	group.Go(func() error { return l.drive(ctx, set, lost) })
	if err := group.Wait(); ctx.Err() == nil {
		return err
	}
	return nil
}

func signal(to chan<- struct{}) {
	select {
	case to <- struct{}{}:
	default:
	}
}

// watch wakes the loop when a row changes that it reads.
func (l *Loop) watch(ctx context.Context) error {
	for {
		view := l.Store.View()
		signal(l.wake)
		if err := view.Changed(
			ctx, store.LoadBalancers, store.Listeners, store.Certificates, store.Rules, store.TargetGroups,
			store.Targets, store.Instances, store.NetworkInterfaces,
		); err != nil {
			return fmt.Errorf("watch for load balancers: %w", err)
		}
	}
}

// follow keeps what the balancer says. When the balancer dies, it says so and
// waits until it has been set again.
func (l *Loop) follow(ctx context.Context, set <-chan struct{}, lost chan<- struct{}) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-set:
		}
		err := l.Balancer.Follow(ctx, func(s balancer.Status) { l.saw(newObserved(s)) })
		if ctx.Err() != nil {
			return ctx.Err()
		}
		l.Log.Warn("lost the balancer", "error", err)
		l.saw(nil)
		signal(lost)
	}
}

func (l *Loop) saw(o *observed) {
	l.mu.Lock()
	l.seen = o
	l.mu.Unlock()
	signal(l.wake)
}

// drive sets the balancer and writes down what was seen, whenever either side
// has changed or a draining target's time has come.
func (l *Loop) drive(ctx context.Context, set chan<- struct{}, lost <-chan struct{}) error {
	var current *balancer.Config // nil: unknown, set it whatever it is
	for {
		view := l.Store.View()
		var alarm <-chan time.Time
		config := configure(view, l.Namespace, l.Logs)
		if current == nil || !reflect.DeepEqual(*current, config) {
			if err := l.apply(ctx, config, current); err != nil {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				l.Log.Error("set the balancer", "error", err)
				current, alarm = nil, time.After(again)
			} else {
				if current == nil {
					signal(set)
				}
				current = &config
			}
		}
		next, err := l.record()
		if err != nil {
			l.Log.Error("record what the balancer saw", "error", err)
			alarm = time.After(again)
		} else if alarm == nil && !next.IsZero() {
			alarm = time.After(time.Until(next))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-lost:
			current = nil
		case <-l.wake:
		case <-alarm:
		}
	}
}

// apply sets the balancer, after the network when there are nodes that it may
// not have yet.
func (l *Loop) apply(ctx context.Context, config balancer.Config, before *balancer.Config) error {
	if before == nil || !reflect.DeepEqual(nodes(config), nodes(*before)) {
		if err := l.Network.Sync(ctx); err != nil {
			return fmt.Errorf("connect the load balancers' nodes: %w", err)
		}
	}
	return l.Balancer.Set(ctx, config)
}

func nodes(c balancer.Config) map[string]balancer.Node {
	out := map[string]balancer.Node{}
	for _, lb := range c.LoadBalancers {
		for _, n := range lb.Nodes {
			out[n.ID] = n
		}
	}
	return out
}

// record writes what was seen, if it differs from the rows, and returns when a
// draining target ends.
func (l *Loop) record() (next time.Time, err error) {
	l.mu.Lock()
	seen := l.seen
	l.mu.Unlock()
	r := observe(l.Store.View(), seen, time.Now())
	if r.empty() {
		return r.next, nil
	}
	err = l.Store.Update(func(tx *store.Tx) error {
		r = observe(tx, seen, time.Now()) // again: a handler may have come between
		r.write(tx)
		return nil
	})
	return r.next, err
}
