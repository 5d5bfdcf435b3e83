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
)

// Loop evaluates the alarms of all regions. Fill the fields, then call Run once.
type Loop struct {
	Store   *store.Store
	Metrics *metric.Store
	Actions Actions
	Log     *slog.Logger
}

// Run evaluates all alarms each minute until ctx ends. When an alarm's state changes,
// by an evaluation or by the API, it runs the alarm's actions at once.
func (l *Loop) Run(ctx context.Context) error {
	next := nextEvaluation(time.Now())
	for ctx.Err() == nil {
		view := l.Store.View()
		for _, row := range store.Alarms.List(view) {
			if alarm.ActionsDue(row) {
				l.runActions(row, true)
			}
		}
		bounded, cancel := context.WithDeadline(ctx, next)
		_ = view.Changed(bounded, store.Alarms)
		cancel()
		if now := time.Now(); !now.Before(next) && ctx.Err() == nil {
			next = nextEvaluation(now)
			l.evaluate(now)
		}
	}
	return nil
}

func nextEvaluation(now time.Time) time.Time {
	return now.Add(-offset).Truncate(interval).Add(interval + offset)
}

// evaluate sets the state of every alarm. If the state stays the same, it repeats the
// actions that scale (Amazon CloudWatch User Guide, Alarm evaluation: Auto Scaling
// actions are invoked each minute that the alarm remains in the state).
func (l *Loop) evaluate(now time.Time) {
	for _, row := range store.Alarms.List(l.Store.View()) {
		verdict, keep := alarm.Evaluate(row, alarm.Datapoints(row, l.Metrics, now), now)
		if !keep && verdict.State != row.State {
			l.setState(row, verdict, now)
		} else if !alarm.ActionsDue(row) {
			l.runActions(row, false)
		}
	}
	l.deleteOldHistory(now)
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
