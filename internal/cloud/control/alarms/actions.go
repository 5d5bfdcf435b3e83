//go:build linux

package alarms

import (
	"slices"
	"time"

	"aloft.dev/aloft/internal/cloud/alarm"
	"aloft.dev/aloft/internal/cloud/store"
)

// runActions runs the actions of the alarm's state, unless the state changed since the
// row was read. It runs all of them if the alarm has just entered the state (entered),
// and records their results in the history. Otherwise it repeats those that scale.
func (l *Loop) runActions(seen *store.Alarm, entered bool) {
	actions := alarm.StateActions(seen)
	if !entered {
		actions = slices.DeleteFunc(slices.Clone(actions), func(action string) bool { return !alarm.Repeats(action) })
	}
	if !entered && (len(actions) == 0 || seen.ActionsDisabled) {
		return
	}
	now := time.Now()
	values := alarm.RecentValues(seen, l.Metrics, now)
	err := l.Store.Update(func(tx *store.Tx) error {
		row, ok := store.Alarms.Get(tx, seen.ARN)
		if !ok || row.State != seen.State || alarm.ActionsDue(row) != entered {
			return nil
		}
		if !row.ActionsDisabled {
			for _, action := range actions {
				failure := l.Actions.Execute(tx, action, alarm.Firing{Alarm: row, Values: values, At: now})
				if entered {
					alarm.RecordAction(tx, row, action, failure, now)
				}
			}
		}
		if entered {
			alarm.MarkActionsRun(tx, row, now)
		}
		return nil
	})
	if err != nil {
		l.Log.Error("run the actions of an alarm", "alarm", seen.Name, "error", err)
	}
}
