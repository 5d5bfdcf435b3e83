// Package alarm is what a CloudWatch alarm is, beside its row: how its state
// follows from data points, in which words it says so, and what is written down
// when it changes. Facts about states, missing data and history: Amazon
// CloudWatch User Guide, Using Amazon CloudWatch alarms; the wording is that of
// recorded answers.
package alarm

import (
	"fmt"
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
)

// States of an alarm.
const (
	OK               = "OK"
	InAlarm          = "ALARM"
	InsufficientData = "INSUFFICIENT_DATA"
)

// ARN is the name of an alarm in a region, in full.
func ARN(region, name string) string { return identity.ARN("cloudwatch", region, "alarm:"+name) }

// Put stores a new alarm, or another configuration of one that is there, whose
// state and tags stay as they are (Amazon CloudWatch API Reference,
// PutMetricAlarm).
func Put(tx *store.Tx, row *store.Alarm, now time.Time) {
	row.ARN = ARN(row.Region, row.Name)
	row.Configured = now
	old, known := store.Alarms.Get(tx, row.ARN)
	if known {
		row.Tags, row.State, row.StateReason, row.StateReasonData = old.Tags, old.State, old.StateReason, old.StateReasonData
		row.StateUpdated, row.StateChanged, row.Acted = old.StateUpdated, old.StateChanged, old.Acted
		recordConfiguration(tx, row, "Update", "updated", now)
	} else {
		row.State, row.StateReason = InsufficientData, "Unchecked: Initial alarm creation"
		row.StateUpdated, row.StateChanged, row.Acted = now, now, now
		recordConfiguration(tx, row, "Create", "created", now)
	}
	store.Alarms.Put(tx, row)
}

// Delete removes an alarm. Its history stays.
func Delete(tx *store.Tx, row *store.Alarm, now time.Time) {
	recordConfiguration(tx, row, "Delete", "deleted", now)
	store.Alarms.Delete(tx, row.ARN)
}

// Verdict is a state and the reason for it, for people and for programs.
type Verdict struct {
	State, Reason, Data string
}

// SetState gives an alarm the state of the verdict. Its actions are left to whoever
// watches alarms: see Due.
func SetState(tx *store.Tx, row *store.Alarm, v Verdict, now time.Time) {
	changed := row.State != v.State
	if changed {
		record(tx, row, "StateUpdate", fmt.Sprintf("Alarm updated from %s to %s", row.State, v.State), map[string]any{
			"version": "1.0", "oldState": stateData(row.State, row.StateReason, row.StateReasonData),
			"newState": stateData(v.State, v.Reason, v.Data),
		}, now)
	}
	store.Alarms.Edit(tx, row.ARN, func(edited *store.Alarm) {
		edited.State, edited.StateReason, edited.StateReasonData, edited.StateUpdated = v.State, v.Reason, v.Data, now
		if changed {
			edited.StateChanged = now
			if !now.After(row.Acted) {
				edited.StateChanged = row.Acted.Add(1)
			}
		}
	})
}
