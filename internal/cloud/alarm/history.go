package alarm

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"time"

	"aloft.dev/aloft/internal/cloud/store"
)

// Retention is for how long an item of an alarm's history is kept (Amazon
// CloudWatch User Guide, Common features of CloudWatch alarms).
const Retention = 14 * 24 * time.Hour

// record adds an item to the alarm's history.
func record(tx *store.Tx, row *store.Alarm, kind, summary string, data map[string]any, now time.Time) {
	key := fmt.Sprintf("%s/%s/%d/%s", row.Region, row.Name, now.UnixNano(), summary)
	store.AlarmHistories.Put(tx, &store.AlarmHistory{
		ID:      key,
		Region:  row.Region,
		Alarm:   row.Name,
		Kind:    kindOf(row),
		At:      now,
		Type:    kind,
		Summary: summary,
		Data:    encodeJSON(data),
	})
}

// CompositeKind is the kind of composite alarms in histories.
const CompositeKind = "CompositeAlarm"

// kindOf returns an alarm's kind, "" for one that watches a metric.
func kindOf(row *store.Alarm) string {
	if IsComposite(row) {
		return CompositeKind
	}
	return ""
}

// recordConfiguration records a change of the alarm's configuration. kind is
// Create, Update or Delete, done its past participle in the summary.
func recordConfiguration(tx *store.Tx, row *store.Alarm, kind, done string, now time.Time) {
	changed := map[string]string{"Create": "createdAlarm", "Update": "updatedAlarm", "Delete": "deletedAlarm"}
	record(tx, row, "ConfigurationUpdate", fmt.Sprintf("Alarm %q %s", row.Name, done), map[string]any{
		"version":     "1.0",
		"type":        kind,
		changed[kind]: configuration(row),
	}, now)
}

func configuration(row *store.Alarm) map[string]any {
	out := map[string]any{
		"alarmName":                          row.Name,
		"alarmArn":                           row.ARN,
		"actionsEnabled":                     !row.ActionsDisabled,
		"okactions":                          row.OKActions,
		"alarmActions":                       row.AlarmActions,
		"insufficientDataActions":            row.NoDataActions,
		"stateValue":                         row.State,
		"alarmConfigurationUpdatedTimestamp": row.Configured.UTC().Format(dataTime),
	}
	watched := map[string]any{
		"namespace":          row.Namespace,
		"metricName":         row.Metric,
		"statistic":          row.Statistic,
		"period":             row.Period,
		"evaluationPeriods":  row.EvaluationPeriods,
		"threshold":          row.Threshold,
		"comparisonOperator": row.Comparison,
	}
	if IsComposite(row) {
		watched = map[string]any{"alarmRule": row.Rule}
	}
	maps.Copy(out, watched)
	return out
}

func stateData(state, reason, data string) map[string]any {
	out := map[string]any{"stateValue": state, "stateReason": reason}
	if data != "" {
		out["stateReasonData"] = json.RawMessage(data)
	}
	return out
}

// encodeJSON returns v as JSON without escaping "<", ">" and "&", as in "OK ->
// ALARM".
func encodeJSON(v any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // strings, numbers and valid JSON always encode
	return strings.TrimSpace(b.String())
}
