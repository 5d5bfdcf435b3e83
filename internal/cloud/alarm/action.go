package alarm

import (
	"fmt"
	"strings"
	"time"

	"aloft.dev/aloft/internal/cloud/metric"
	"aloft.dev/aloft/internal/cloud/store"
)

// Firing is an alarm whose action runs.
type Firing struct {
	Alarm  *store.Alarm
	Values []float64 // data points of its evaluation periods, newest first
	At     time.Time
}

// RecentValues returns the newest known data points of the alarm's metric, newest
// first and at most one for each evaluation period; none for a composite alarm.
func RecentValues(row *store.Alarm, metrics *metric.Store, now time.Time) (out []float64) {
	if IsComposite(row) {
		return nil
	}
	for _, p := range Datapoints(row, metrics, now) {
		if p.Known && len(out) < int(row.EvaluationPeriods) {
			out = append(out, p.Value)
		}
	}
	return out
}

// ActionsDue reports whether the actions of the alarm's state have not run since
// it entered the state.
func ActionsDue(row *store.Alarm) bool { return row.ActionsRan.Before(row.StateChanged) }

// MarkActionsRun records that the actions of the alarm's state have run.
func MarkActionsRun(tx *store.Tx, row *store.Alarm, now time.Time) {
	if now.Before(row.StateChanged) {
		now = row.StateChanged
	}
	store.Alarms.Edit(tx, row.ARN, func(edited *store.Alarm) { edited.ActionsRan, edited.SuppressedBy = now, "" })
}

// StateActions returns the actions of the alarm's state.
func StateActions(row *store.Alarm) []string {
	switch row.State {
	case OK:
		return row.OKActions
	case InAlarm:
		return row.AlarmActions
	}
	return row.NoDataActions
}

// Repeats reports whether an action runs again each minute that the alarm stays in its
// state: those of Amazon EC2 Auto Scaling do (Amazon CloudWatch User Guide, Alarm actions).
func Repeats(action string) bool { return strings.HasPrefix(action, "arn:aws:autoscaling:") }

// RecordAction adds an action and its outcome to the alarm's history.
func RecordAction(tx *store.Tx, row *store.Alarm, action string, failure error, now time.Time) {
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
