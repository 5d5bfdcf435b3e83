package networks

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/network"
	"aloft.dev/aloft/internal/cloud/store"
)

// Plane is what the loop needs of the network plane: the whole network, set.
type Plane interface {
	Set(ctx context.Context, config network.Config) error
}

// Bounds of one application and of the pauses after failed ones.
const (
	applyTime  = time.Minute
	firstPause = 200 * time.Millisecond
	longPause  = 15 * time.Second
)

// Loop keeps the plane at what the store wants. Fill the fields, then Run it;
// Sync may be called beside it.
type Loop struct {
	Store     *store.Store
	Plane     Plane
	Namespace func(instanceID string) string // path of a machine's network namespace, "" when it has none
	Log       *slog.Logger

	mu      sync.Mutex
	turn    chan struct{} // holds one: who has it applies
	waiting *round        // the round that the next application serves
}

// round is one application of the network, for all who asked before it began.
type round struct {
	done chan struct{}
	err  error
}

// Run applies the network whenever rows that it follows from have changed,
// until ctx ends. What could not be applied is tried again.
func (l *Loop) Run(ctx context.Context) error {
	pause := firstPause
	for ctx.Err() == nil {
		view := l.Store.View()
		wait := ctx
		cancel := func() {}
		if err := l.Sync(ctx); err != nil && ctx.Err() == nil {
			l.Log.Warn("apply the network", "error", err)
			wait, cancel = context.WithTimeout(ctx, pause)
			pause = min(2*pause, longPause)
		} else {
			pause = firstPause
		}
		// An error here is only that the wait is over.
		_ = view.Changed(wait, store.VPCs, store.Subnets, store.InternetGateways, store.RouteTables,
			store.NetworkACLs, store.SecurityGroups, store.NetworkInterfaces, store.Instances)
		cancel()
	}
	return nil
}

// Sync applies the network as it is wanted now and returns when the plane has
// it. Callers who come while an application runs share the next one.
func (l *Loop) Sync(ctx context.Context) error {
	r, turn := l.join()
	select {
	case turn <- struct{}{}:
		defer func() { <-turn }()
	case <-r.done:
		return r.err
	case <-ctx.Done():
		return ctx.Err()
	}
	if !l.begin(r) {
		return r.err // somebody served this round between the two
	}
	// The round belongs to all who wait for it, so it outlives this caller.
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), applyTime)
	defer cancel()
	if err := l.Plane.Set(bounded, Config(l.Store.View(), l.Namespace)); err != nil {
		r.err = fmt.Errorf("set the network: %w", err)
	}
	close(r.done)
	return r.err
}

func (l *Loop) join() (*round, chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.turn == nil {
		l.turn = make(chan struct{}, 1)
	}
	if l.waiting == nil {
		l.waiting = &round{done: make(chan struct{})}
	}
	return l.waiting, l.turn
}

// begin closes the round to newcomers. It tells false when it was over already.
func (l *Loop) begin(r *round) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waiting != r {
		return false
	}
	l.waiting = nil
	return true
}
