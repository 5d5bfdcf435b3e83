// Package alarm is what a CloudWatch alarm is, beside its row: how its state
// follows from data points, in which words it says so, and what is written down
// when it changes. Facts about states, missing data and history: Amazon
// CloudWatch User Guide, Using Amazon CloudWatch alarms; the wording is that of
// recorded answers.
package alarm

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/metric"
	"aloft.dev/aloft/internal/cloud/store"
)

// States of an alarm.
const (
	OK           = "OK"
	InAlarm      = "ALARM"
	Insufficient = "INSUFFICIENT_DATA"
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
		configured(tx, row, "Update", "updated", now)
	} else {
		row.State, row.StateReason = Insufficient, "Unchecked: Initial alarm creation"
		row.StateUpdated, row.StateChanged, row.Acted = now, now, now
		configured(tx, row, "Create", "created", now)
	}
	store.Alarms.Put(tx, row)
}

// Delete removes an alarm. Its history stays.
func Delete(tx *store.Tx, row *store.Alarm, now time.Time) {
	configured(tx, row, "Delete", "deleted", now)
	store.Alarms.Delete(tx, row.ARN)
}

// Verdict is a state and the reason for it, for people and for programs.
type Verdict struct {
	State, Reason, Data string
}

// Set gives an alarm the state of the verdict. Its actions are left to whoever
// watches alarms: see Due.
func Set(tx *store.Tx, row *store.Alarm, v Verdict, now time.Time) {
	changed := row.State != v.State
	if changed {
		record(tx, row, "StateUpdate", fmt.Sprintf("Alarm updated from %s to %s", row.State, v.State), map[string]any{
			"version": "1.0", "oldState": stateText(row.State, row.StateReason, row.StateReasonData), "newState": stateText(v.State, v.Reason, v.Data),
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

// Firing is an alarm whose action is to be carried out.
type Firing struct {
	Alarm  *store.Alarm
	Values []float64 // the data points of its evaluation periods, newest first
	At     time.Time
}

// Values are the newest data points of the alarm's metric, as many as it has
// evaluation periods if there are so many, newest first.
func Values(row *store.Alarm, metrics *metric.Store, now time.Time) (out []float64) {
	for _, p := range Read(row, metrics, now) {
		if p.Known && len(out) < int(row.EvaluationPeriods) {
			out = append(out, p.Value)
		}
	}
	return out
}

// Due tells whether the actions of the alarm's present state have yet to run for
// the first time.
func Due(row *store.Alarm) bool { return row.Acted.Before(row.StateChanged) }

// Done writes down that the actions of the alarm's state have run.
func Done(tx *store.Tx, row *store.Alarm, now time.Time) {
	if now.Before(row.StateChanged) {
		now = row.StateChanged
	}
	store.Alarms.Edit(tx, row.ARN, func(edited *store.Alarm) { edited.Acted = now })
}

// Actions are those of the alarm's present state.
func Actions(row *store.Alarm) []string {
	switch row.State {
	case OK:
		return row.OKActions
	case InAlarm:
		return row.AlarmActions
	}
	return row.NoDataActions
}

// Acted writes down what came of an action.
func Acted(tx *store.Tx, row *store.Alarm, action string, failure error, now time.Time) {
	data := map[string]any{
		"actionState":          "Succeeded",
		"stateUpdateTimestamp": row.StateUpdated.UnixMilli(),
		"publishedMessage":     nil,
		"notificationResource": action,
	}
	summary := "Successfully executed action " + action
	if failure != nil {
		summary = fmt.Sprintf("Failed to execute action %s. Received error: %q", action, failure.Error())
		data["actionState"], data["error"] = "Failed", failure.Error()
	}
	record(tx, row, "Action", summary, data, now)
}

// Retention is for how long an item of an alarm's history is kept (Amazon
// CloudWatch User Guide, Common features of CloudWatch alarms).
const Retention = 14 * 24 * time.Hour

func configured(tx *store.Tx, row *store.Alarm, kind, done string, now time.Time) {
	record(tx, row, "ConfigurationUpdate", fmt.Sprintf("Alarm %q %s", row.Name, done), map[string]any{
		"version": "1.0", "type": kind, map[string]string{"Create": "createdAlarm", "Update": "updatedAlarm", "Delete": "deletedAlarm"}[kind]: configurationText(row),
	}, now)
}

func configurationText(row *store.Alarm) map[string]any {
	return map[string]any{
		"alarmName": row.Name, "alarmArn": row.ARN, "actionsEnabled": !row.ActionsDisabled, "okactions": row.OKActions, "alarmActions": row.AlarmActions,
		"insufficientDataActions": row.NoDataActions, "namespace": row.Namespace, "metricName": row.Metric, "statistic": row.Statistic, "period": row.Period,
		"evaluationPeriods": row.EvaluationPeriods, "threshold": row.Threshold, "comparisonOperator": row.Comparison,
		"stateValue": row.State, "alarmConfigurationUpdatedTimestamp": row.Configured.UTC().Format(machineTime),
	}
}

func stateText(state, reason, data string) map[string]any {
	out := map[string]any{"stateValue": state, "stateReason": reason}
	if data != "" {
		out["stateReasonData"] = json.RawMessage(data)
	}
	return out
}

func record(tx *store.Tx, row *store.Alarm, kind, summary string, data map[string]any, now time.Time) {
	key := fmt.Sprintf("%s/%s/%d/%s", row.Region, row.Name, now.UnixNano(), summary)
	store.AlarmHistories.Put(
		tx,
		&store.AlarmHistory{
			ID:      key,
			Region:  row.Region,
			Alarm:   row.Name,
			At:      now,
			Type:    kind,
			Summary: summary,
			Data:    document(data),
		},
	)
}

// document is a value as JSON, with arrows as they are.
func document(v any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // texts, numbers and what was JSON before: they have a form
	return strings.TrimSpace(b.String())
}

// Query is a query of metric data, as far as it can be computed here. Its JSON is
// that of the SDK's type.
type Query struct {
	ID         string `json:"Id"`
	MetricStat *struct {
		Metric struct {
			Namespace, MetricName string
			Dimensions            []store.MetricDimension
		}
		Period     int32
		Stat, Unit string
	}
	ReturnData *bool
}

// QueriesText is how an alarm's row keeps queries. Those that leave their period
// open get the given one, in seconds.
func QueriesText(queries []Query, period int32) string {
	for i := range queries {
		if q := &queries[i]; q.MetricStat != nil && q.MetricStat.Period == 0 {
			stat := *q.MetricStat
			stat.Period = period
			q.MetricStat = &stat
		}
	}
	return document(queries)
}

// Watched is what an alarm looks at.
type Watched struct {
	Metric    metric.ID
	Period    time.Duration
	Statistic string
	Unit      string // empty: any
}

// Watches tells what the alarm looks at: its metric, or the one among its queries
// that returns data.
func Watches(row *store.Alarm) Watched {
	if row.Queries == "" {
		stat := row.Statistic
		if stat == "" {
			stat = row.ExtendedStatistic
		}
		return Watched{
			id(row.Namespace, row.Metric, row.Dimensions),
			time.Duration(row.Period) * time.Second,
			stat,
			row.Unit,
		}
	}
	var queries []Query
	_ = json.Unmarshal([]byte(row.Queries), &queries) // it was written by us
	for _, q := range queries {
		if q.MetricStat != nil && (q.ReturnData == nil || *q.ReturnData) {
			m := q.MetricStat
			return Watched{
				id(m.Metric.Namespace, m.Metric.MetricName, m.Metric.Dimensions),
				time.Duration(m.Period) * time.Second,
				m.Stat,
				m.Unit,
			}
		}
	}
	return Watched{}
}

func id(namespace, name string, dimensions []store.MetricDimension) metric.ID {
	own := make([]metric.Dimension, 0, len(dimensions))
	for _, d := range dimensions {
		own = append(own, metric.Dimension(d))
	}
	return metric.NewID(namespace, name, own...)
}
