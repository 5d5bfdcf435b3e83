//go:build linux

// Package commands ends the commands of Run Command that no agent ends, and forgets old ones
// and the agents of instances that are gone.
package commands

import (
	"context"
	"log/slog"
	"time"

	"aloft.dev/aloft/internal/cloud/runcommand"
	"aloft.dev/aloft/internal/cloud/store"
)

// retryDelay is the pause after an error.
const retryDelay = time.Second

// Loop settles commands. Fill the fields, then call Run.
type Loop struct {
	Store *store.Store
	Log   *slog.Logger
}

// Run settles commands until ctx ends.
func (l *Loop) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		view := l.Store.View() // from before: what settle changes is looked at again
		next, err := l.settle(view, time.Now().UTC())
		if err != nil {
			l.Log.Error("settle the commands of Run Command", "error", err)
			next = time.Now().Add(retryDelay)
		}
		bounded, cancel := ctx, context.CancelFunc(func() {})
		if !next.IsZero() {
			bounded, cancel = context.WithDeadline(ctx, next)
		}
		_ = view.Changed(bounded, store.Commands, store.CommandInvocations, store.Instances) // at the end of either
		cancel()
	}
	return nil
}

// settle ends and forgets what is due, and returns when something is due next; zero: nothing
// is.
func (l *Loop) settle(view store.Reader, now time.Time) (next time.Time, err error) {
	if len(store.Commands.List(view)) == 0 && len(store.ManagedInstances.List(view)) == 0 {
		return time.Time{}, nil
	}
	earlier := func(at time.Time) {
		if !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	err = l.Store.Update(func(tx *store.Tx) error {
		for _, c := range store.Commands.List(tx) {
			if !c.Done {
				earlier(runcommand.Settle(tx, c, now))
			}
		}
		earlier(runcommand.Forget(tx, now))
		for _, row := range store.ManagedInstances.List(tx) {
			if instance, ok := store.Instances.Get(tx, row.ID); !ok || instance.State == store.Terminated {
				store.ManagedInstances.Delete(tx, row.ID)
			}
		}
		return nil
	})
	return next, err
}
