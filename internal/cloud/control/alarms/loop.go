//go:build linux

// Package alarms evaluates CloudWatch alarms. A loop compares metrics with the alarms'
// thresholds, sets the alarms' states and runs their actions.
package alarms

import (
	"context"
	"log/slog"
	"time"

	"aloft.dev/aloft/internal/cloud/alarm"
	"aloft.dev/aloft/internal/cloud/metric"
	"aloft.dev/aloft/internal/cloud/store"
)

// Actions runs the actions of alarms.
type Actions interface {
	// Execute runs an action, given by its ARN, in the transaction. If it returns an
	// error, it has written nothing.
	Execute(tx *store.Tx, action string, f alarm.Firing) error
}

const (
	// interval is the time between evaluations (Amazon CloudWatch User Guide, Alarm
	// evaluation: alarms with periods of a minute or more are evaluated each minute).
	interval = time.Minute
	// offset is the time of an evaluation in its minute. By then the metrics of the
	// minute before are complete.
	offset = 10 * time.Second
	// fineInterval and fineOffset are those of alarms of high resolution (Amazon CloudWatch User Guide, Alarm
	// evaluation: alarms with periods of 10, 20 or 30 seconds are evaluated every ten seconds).
	fineInterval = 10 * time.Second
	fineOffset   = time.Second
)

// Loop evaluates the alarms of all regions. Fill the fields, then call Run once.
type Loop struct {
	Store   *store.Store
	Metrics *metric.Store
	Actions Actions
	Log     *slog.Logger
}

// Run evaluates all alarms each minute, and those of high resolution every ten seconds,
// until ctx ends. When an alarm's state changes, by an evaluation or by the API, it runs
// the alarm's actions at once.
func (l *Loop) Run(ctx context.Context) error {
	next, fine := nextEvaluation(time.Now()), nextFine(time.Now())
	for ctx.Err() == nil {
		view := l.Store.View()
		wake := next
		for _, row := range store.Alarms.List(view) {
			if alarm.IsComposite(row) {
				l.follow(view, row)
			}
			if fine.Before(wake) && alarm.IsHighResolution(row) {
				wake = fine
			}
			if !alarm.ActionsDue(row) {
				continue
			}
			if until, suppressed := l.suppressed(view, row); !suppressed {
				l.runActions(row, true)
			} else if !until.IsZero() && until.Before(wake) {
				wake = until
			}
		}
		bounded, cancel := context.WithDeadline(ctx, wake)
		_ = view.Changed(bounded, store.Alarms)
		cancel()
		if now := time.Now(); !now.Before(next) && ctx.Err() == nil {
			next = nextEvaluation(now)
			l.evaluate(now)
		} else if !now.Before(fine) && ctx.Err() == nil {
			l.evaluateFine(now)
		}
		fine = nextFine(time.Now())
	}
	return nil
}

func nextFine(now time.Time) time.Time {
	return now.Add(-fineOffset).Truncate(fineInterval).Add(fineInterval + fineOffset)
}

// evaluateFine sets the state of every alarm of high resolution. Actions do not repeat more often than each minute.
func (l *Loop) evaluateFine(now time.Time) {
	for _, row := range store.Alarms.List(l.Store.View()) {
		if !alarm.IsHighResolution(row) {
			continue
		}
		verdict, keep := alarm.Evaluate(row, alarm.Datapoints(row, l.Metrics, now), now)
		if !keep && verdict.State != row.State {
			l.setState(row, verdict, now)
		}
	}
}

func nextEvaluation(now time.Time) time.Time {
	return now.Add(-offset).Truncate(interval).Add(interval + offset)
}

// evaluate sets the state of every alarm. If the state stays the same, it repeats the
// actions that scale (Amazon CloudWatch User Guide, Alarm evaluation: Auto Scaling
// actions are invoked each minute that the alarm remains in the state).
func (l *Loop) evaluate(now time.Time) {
	for _, row := range store.Alarms.List(l.Store.View()) {
		if alarm.IsComposite(row) {
			continue // it follows changes of other alarms at once, and has no actions that repeat
		}
		verdict, keep := alarm.Evaluate(row, alarm.Datapoints(row, l.Metrics, now), now)
		if !keep && verdict.State != row.State {
			l.setState(row, verdict, now)
		} else if !alarm.ActionsDue(row) {
			l.runActions(row, false)
		}
	}
	l.deleteOldHistory(now)
}

// follow sets the state of a composite alarm to what follows from its rule.
func (l *Loop) follow(view *store.View, seen *store.Alarm) {
	verdict, inputs, ok := alarm.EvaluateComposite(view, seen)
	if !ok {
		return
	}
	err := l.Store.Update(func(tx *store.Tx) error {
		if row, ok := store.Alarms.Get(tx, seen.ARN); ok && row == seen {
			alarm.SetComposite(tx, row, verdict, inputs, time.Now())
		}
		return nil
	})
	if err != nil {
		l.Log.Error("set the state of a composite alarm", "alarm", seen.Name, "error", err)
	}
}

// suppressed reports whether the actions of an alarm's state are suppressed, and until when at
// most. It records by what they are.
func (l *Loop) suppressed(view *store.View, seen *store.Alarm) (until time.Time, suppressed bool) {
	by, until := alarm.Suppression(view, seen, time.Now())
	if by == seen.SuppressedBy || by == "" {
		return until, by != ""
	}
	err := l.Store.Update(func(tx *store.Tx) error {
		if row, ok := store.Alarms.Get(tx, seen.ARN); ok && row == seen {
			alarm.MarkSuppressed(tx, seen.ARN, by)
		}
		return nil
	})
	if err != nil {
		l.Log.Error("record what suppresses the actions of an alarm", "alarm", seen.Name, "error", err)
	}
	return until, true
}

// setState sets the alarm's state, unless the row changed since it was evaluated.
func (l *Loop) setState(evaluated *store.Alarm, verdict alarm.Verdict, now time.Time) {
	err := l.Store.Update(func(tx *store.Tx) error {
		if row, ok := store.Alarms.Get(tx, evaluated.ARN); ok && row == evaluated {
			alarm.SetState(tx, row, verdict, now)
		}
		return nil
	})
	if err != nil {
		l.Log.Error("set the state of an alarm", "alarm", evaluated.Name, "error", err)
	}
}
