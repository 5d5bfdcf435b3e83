// Package alarm implements CloudWatch alarms: how an alarm's state follows from
// data points, the reasons given for it, and the history that is recorded. Its
// facts are from the Amazon CloudWatch User Guide, Using Amazon CloudWatch
// alarms; the words of reasons and history are those of recorded responses.
package alarm

import (
	"fmt"
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
)

// The states of an alarm.
const (
	OK               = "OK"
	InAlarm          = "ALARM"
	InsufficientData = "INSUFFICIENT_DATA"
)

// ARN returns the ARN of an alarm.
func ARN(region identity.Region, name string) string {
	return identity.ARN("cloudwatch", region, "alarm:"+name)
}

// Put creates an alarm, or replaces an alarm's configuration and keeps its state
// and tags (Amazon CloudWatch API Reference, PutMetricAlarm, PutCompositeAlarm).
func Put(tx *store.Tx, row *store.Alarm, now time.Time) {
	row.ARN = ARN(row.Region, row.Name)
	row.Configured = now
	old, known := store.Alarms.Get(tx, row.ARN)
	if known {
		row.Tags, row.State, row.PreviousState = old.Tags, old.State, old.PreviousState
		row.StateReason, row.StateReasonData = old.StateReason, old.StateReasonData
		row.StateUpdated, row.StateChanged, row.ActionsRan = old.StateUpdated, old.StateChanged, old.ActionsRan
		row.AlarmLeft, row.Inputs = old.AlarmLeft, reconfigured
		recordConfiguration(tx, row, "Update", "updated", now)
	} else {
		row.State, row.StateReason = InsufficientData, "Unchecked: Initial alarm creation"
		row.StateUpdated, row.StateChanged, row.ActionsRan = now, now, now
		recordConfiguration(tx, row, "Create", "created", now)
	}
	store.Alarms.Put(tx, row)
}

// Delete deletes an alarm. Its history is kept.
func Delete(tx *store.Tx, row *store.Alarm, now time.Time) {
	recordConfiguration(tx, row, "Delete", "deleted", now)
	store.Alarms.Delete(tx, row.ARN)
}

// Verdict is a state with the reason for it, as text and as JSON.
type Verdict struct {
	State, Reason, Data string
}

// SetState sets an alarm to the state of a verdict. The loop that watches alarms
// runs the state's actions: see ActionsDue.
func SetState(tx *store.Tx, row *store.Alarm, v Verdict, now time.Time) {
	changed := row.State != v.State
	if changed {
		record(tx, row, "StateUpdate", fmt.Sprintf("Alarm updated from %s to %s", row.State, v.State), map[string]any{
			"version":  "1.0",
			"oldState": stateData(row.State, row.StateReason, row.StateReasonData),
			"newState": stateData(v.State, v.Reason, v.Data),
		}, now)
	}
	store.Alarms.Edit(tx, row.ARN, func(edited *store.Alarm) {
		edited.State, edited.StateReason, edited.StateReasonData, edited.StateUpdated = v.State, v.Reason, v.Data, now
		if changed {
			edited.PreviousState, edited.StateChanged, edited.SuppressedBy = row.State, now, ""
			if row.State == InAlarm {
				edited.AlarmLeft = now
			}
			// ActionsDue compares the two times, so this change must be the later one.
			if !now.After(row.ActionsRan) {
				edited.StateChanged = row.ActionsRan.Add(1)
			}
			// Actions that are disabled when the state changes do not run later.
			if row.ActionsDisabled {
				edited.ActionsRan = edited.StateChanged
			}
		}
	})
}
