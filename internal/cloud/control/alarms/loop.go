// Package alarms makes CloudWatch alarms go off: a loop that reads metrics, sets
// the alarms' states and has their actions carried out.
package alarms

import (
	"context"
	"log/slog"
	"time"

	"aloft.dev/aloft/internal/cloud/alarm"
	"aloft.dev/aloft/internal/cloud/metric"
	"aloft.dev/aloft/internal/cloud/store"
)

// Actions carries out what alarms are for.
type Actions interface {
	// Execute carries out an action, an ARN, in the transaction. It fails before
	// it has written anything, or not at all.
	Execute(tx *store.Tx, action string, f alarm.Firing) error
}

const (
	// every is how often alarms are evaluated (Amazon CloudWatch User Guide, Alarm
	// evaluation: alarms with periods of a minute and more are each minute).
	every = time.Minute
	// after is when in the minute: metrics of the minute before are complete then.
	after = 10 * time.Second
)

// Loop evaluates alarms. Fill the fields, then call Run once.
type Loop struct {
	Store   *store.Store
	Metrics *metric.Store
	Actions Actions
	Log     *slog.Logger
}

// Run evaluates all alarms each minute, and carries out actions as soon as an
// alarm has changed its state, whoever changed it, until ctx ends.
func (l *Loop) Run(ctx context.Context) error {
	next := following(time.Now())
	for ctx.Err() == nil {
		view := l.Store.View()
		for _, row := range store.Alarms.List(view) {
			if alarm.ActionsDue(row) {
				l.fire(row, true)
			}
		}
		bounded, cancel := context.WithDeadline(ctx, next)
		_ = view.Changed(bounded, store.Alarms)
		cancel()
		if now := time.Now(); !now.Before(next) && ctx.Err() == nil {
			next = following(now)
			l.evaluate(now)
		}
	}
	return nil
}

func following(now time.Time) time.Time {
	return now.Add(-after).Truncate(every).Add(every + after)
}

// evaluate looks at every alarm. One that stays in its state has those of its
// actions carried out again that scale (the same guide: Auto Scaling actions are
// invoked each minute that the alarm remains in the state).
func (l *Loop) evaluate(now time.Time) {
	for _, row := range store.Alarms.List(l.Store.View()) {
		verdict, keep := alarm.Evaluate(row, alarm.Datapoints(row, l.Metrics, now), now)
		if !keep && verdict.State != row.State {
			l.set(row, verdict, now)
		} else if !alarm.ActionsDue(row) {
			l.fire(row, false)
		}
	}
	l.forget(now)
}

// set gives the alarm its new state, unless it has changed meanwhile.
func (l *Loop) set(seen *store.Alarm, verdict alarm.Verdict, now time.Time) {
	err := l.Store.Update(func(tx *store.Tx) error {
		if row, ok := store.Alarms.Get(tx, seen.ARN); ok && row == seen {
			alarm.SetState(tx, row, verdict, now)
		}
		return nil
	})
	if err != nil {
		l.Log.Error("set the state of an alarm", "alarm", seen.Name, "error", err)
	}
}

// fire carries out the actions of the alarm's state: all when it has just come to
// be in it, else those that repeat.
func (l *Loop) fire(seen *store.Alarm, changed bool) {
	actions := alarm.StateActions(seen)
	if !changed && (len(actions) == 0 || seen.ActionsDisabled) {
		return
	}
	now := time.Now()
	values := alarm.RecentValues(seen, l.Metrics, now)
	err := l.Store.Update(func(tx *store.Tx) error {
		row, ok := store.Alarms.Get(tx, seen.ARN)
		if !ok || row.State != seen.State || alarm.ActionsDue(row) != changed {
			return nil
		}
		if !row.ActionsDisabled {
			for _, action := range actions {
				failure := l.Actions.Execute(tx, action, alarm.Firing{Alarm: row, Values: values, At: now})
				if changed {
					alarm.RecordAction(tx, row, action, failure, now)
				}
			}
		}
		if changed {
			alarm.MarkActionsRun(tx, row, now)
		}
		return nil
	})
	if err != nil {
		l.Log.Error("carry out the actions of an alarm", "alarm", seen.Name, "error", err)
	}
}

// forget removes history that is older than CloudWatch keeps it.
func (l *Loop) forget(now time.Time) {
	var old []string
	for _, item := range store.AlarmHistories.List(l.Store.View()) {
		if now.Sub(item.At) > alarm.Retention {
			old = append(old, item.ID)
		}
	}
	if len(old) == 0 {
		return
	}
	err := l.Store.Update(func(tx *store.Tx) error {
		for _, id := range old {
			store.AlarmHistories.Delete(tx, id)
		}
		return nil
	})
	if err != nil {
		l.Log.Error("forget old history of alarms", "error", err)
	}
}
