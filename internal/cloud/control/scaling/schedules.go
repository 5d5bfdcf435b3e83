//go:build linux

package scaling

import (
	"context"
	"log/slog"
	"time"

	"aloft.dev/aloft/internal/cloud/scaling/capacity"
	"aloft.dev/aloft/internal/cloud/store"
)

// ScheduleLoop runs the scheduled actions of all groups. Fill the fields, then
// call Run once.
type ScheduleLoop struct {
	Store *store.Store
	Log   *slog.Logger
}

// Run runs actions when they are due until ctx ends.
func (l *ScheduleLoop) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		view, next := l.runDue()
		l.wait(ctx, view, next)
	}
	return nil
}

// runDue runs the actions that are due now. It returns the time of the next action,
// zero if there is none, and a view from before it read the schedules: a change
// after that view may have come too late for next.
func (l *ScheduleLoop) runDue() (view *store.View, next time.Time) {
	view = l.Store.View()
	err := l.Store.Update(func(tx *store.Tx) error {
		var problem error
		if next, problem = capacity.RunSchedule(tx, time.Now()); problem != nil {
			l.Log.Warn("run a scheduled action of an Auto Scaling group", "error", problem)
		}
		return nil
	})
	if err != nil {
		l.Log.Error("run the scheduled actions of Auto Scaling groups", "error", err)
		next = time.Now().Add(retryAfter)
	}
	return view, next
}

// wait returns at the time of the next action, or when a schedule has changed since
// view.
func (l *ScheduleLoop) wait(ctx context.Context, view *store.View, next time.Time) {
	if !next.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, next)
		defer cancel()
	}
	_ = view.Changed(ctx, store.ScheduledActions)
}
