// Package schedules runs the scheduled actions of Auto Scaling groups: a loop that
// waits for the next of them.
package schedules

import (
	"context"
	"log/slog"
	"time"

	"aloft.dev/aloft/internal/cloud/capacity"
	"aloft.dev/aloft/internal/cloud/store"
)

// again is how long the loop waits after it could not write.
const again = 5 * time.Second

// Loop runs scheduled actions. Fill the fields, then call Run once.
type Loop struct {
	Store *store.Store
	Log   *slog.Logger
}

// Run runs what is due until ctx ends.
func (l *Loop) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		var next time.Time
		err := l.Store.Update(func(tx *store.Tx) error {
			var problem error
			if next, problem = capacity.RunSchedule(tx, time.Now()); problem != nil {
				l.Log.Warn("follow the schedule of an Auto Scaling group", "error", problem)
			}
			return nil
		})
		if err != nil {
			l.Log.Error("follow the schedules of Auto Scaling groups", "error", err)
			next = time.Now().Add(again)
		}
		l.wait(ctx, next)
	}
	return nil
}

// wait returns when the next action is due, or when a schedule has changed.
func (l *Loop) wait(ctx context.Context, next time.Time) {
	if !next.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, next)
		defer cancel()
	}
	_ = l.Store.View().Changed(ctx, store.ScheduledActions)
}
