//go:build linux

// Package connectendpoints completes the deletion of EC2 Instance Connect Endpoints.
package connectendpoints

import (
	"context"
	"log/slog"
	"time"

	"aloft.dev/aloft/internal/cloud/store"
)

// retryDelay is the pause after an error.
const retryDelay = time.Second

// Loop deletes endpoints whose deletion takes its time once that has passed. Fill the
// fields, then call Run.
type Loop struct {
	Store *store.Store
	Log   *slog.Logger
}

// Run deletes endpoints until ctx ends.
func (l *Loop) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		view := l.Store.View()
		next, err := l.complete(view, time.Now())
		if err != nil {
			l.Log.Error("delete an EC2 Instance Connect Endpoint", "error", err)
			next = time.Now().Add(retryDelay)
		}
		bounded, cancel := ctx, context.CancelFunc(func() {})
		if !next.IsZero() {
			bounded, cancel = context.WithDeadline(ctx, next)
		}
		_ = view.Changed(bounded, store.InstanceConnectEndpoints) // at the end of either, look again
		cancel()
	}
	return nil
}

// complete deletes what is due, and returns when the next deletion is; zero: none is.
func (l *Loop) complete(r store.Reader, now time.Time) (next time.Time, err error) {
	var due []*store.InstanceConnectEndpoint
	for _, row := range store.InstanceConnectEndpoints.List(r) {
		switch {
		case !row.Deleting:
		case !row.GoneAt.After(now):
			due = append(due, row)
		case next.IsZero() || row.GoneAt.Before(next):
			next = row.GoneAt
		}
	}
	if len(due) == 0 {
		return next, nil
	}
	return next, l.Store.Update(func(tx *store.Tx) error {
		for _, row := range due {
			store.InstanceConnectEndpoints.Delete(tx, row.ID)
			store.NetworkInterfaces.Delete(tx, row.InterfaceID)
		}
		return nil
	})
}
