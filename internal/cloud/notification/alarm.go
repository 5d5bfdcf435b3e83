package notification

import (
	"encoding/json"
	"fmt"
	"strings"

	"aloft.dev/aloft/internal/cloud/alarm"
	"aloft.dev/aloft/internal/cloud/store"
)

const alarmTime = "2006-01-02T15:04:05.000-0700"

// dimension is a dimension in an alarm's message.
type dimension struct {
	Value string `json:"value"`
	Name  string `json:"name"`
}

// trigger describes what an alarm watches.
type trigger struct {
	MetricName                       string `json:",omitempty"`
	Namespace                        string `json:",omitempty"`
	StatisticType                    string `json:",omitempty"`
	Statistic                        string `json:",omitempty"`
	ExtendedStatistic                string `json:",omitempty"`
	Unit                             *string
	Dimensions                       []dimension     `json:",omitzero"`
	Metrics                          json.RawMessage `json:",omitempty"`
	Period                           int32
	EvaluationPeriods                int32
	DatapointsToAlarm                int32 `json:",omitempty"`
	ComparisonOperator               string
	Threshold                        float64
	TreatMissingData                 string
	EvaluateLowSampleCountPercentile string
}

// alarmDocument is the message of an alarm.
type alarmDocument struct {
	AlarmName                          string
	AlarmDescription                   *string
	AWSAccountID                       string `json:"AWSAccountId"`
	AlarmConfigurationUpdatedTimestamp string
	NewStateValue                      string
	NewStateReason                     string
	StateChangeTime                    string
	Region                             string
	AlarmARN                           string `json:"AlarmArn"`
	OldStateValue                      string
	OKActions                          []string
	AlarmActions                       []string
	InsufficientDataActions            []string
	Trigger                            *trigger `json:",omitempty"`
	AlarmRule                          string   `json:",omitempty"`
	TriggeringChildren                 []child  `json:",omitzero"`
}

// child is an alarm that led to the state of a composite alarm.
type child struct {
	ARN   string `json:"Arn"`
	State struct{ Value, Timestamp string }
}

// AlarmMessage returns the message with which CloudWatch tells a topic that an alarm
// changed its state. region is the name of the region for people. The form is that of
// recorded messages.
func AlarmMessage(f alarm.Firing, id, region string) Message {
	row := f.Alarm
	document := alarmDocument{
		AlarmName: row.Name, AlarmDescription: optional(row.Description), AWSAccountID: row.Region.Account(),
		AlarmConfigurationUpdatedTimestamp: row.Configured.UTC().Format(alarmTime),
		NewStateValue:                      row.State, NewStateReason: row.StateReason,
		StateChangeTime: row.StateChanged.UTC().Format(alarmTime),
		Region:          region, AlarmARN: row.ARN, OldStateValue: row.PreviousState,
		OKActions: list(row.OKActions), AlarmActions: list(row.AlarmActions),
		InsufficientDataActions: list(row.NoDataActions),
	}
	if alarm.IsComposite(row) {
		document.AlarmRule, document.TriggeringChildren = row.Rule, childrenOf(row)
	} else {
		document.Trigger = triggerOf(row)
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(document) // an alarm's threshold is a finite number
	subject := fmt.Sprintf("%s: %q in %s", row.State, row.Name, region)
	return Message{
		ID: id, Subject: Subject(subject), Text: strings.TrimSpace(b.String()),
		ByProtocol: map[string]string{"email": alarmText(row, region)},
	}
}

// alarmText returns the message for people: emails do not get JSON.
func alarmText(row *store.Alarm, region string) string {
	lines := []string{
		fmt.Sprintf("The CloudWatch alarm %q in %s has changed from %s to %s.",
			row.Name, region, row.PreviousState, row.State),
		"", "Why: " + row.StateReason,
	}
	if row.Description != "" {
		lines = append(lines, "Description: "+row.Description)
	}
	lines = append(lines, "Time: "+row.StateChanged.UTC().Format("2006-01-02 15:04:05 MST"), "Alarm: "+row.ARN)
	return strings.Join(lines, "\n")
}

// childrenOf returns the alarms that led to the state of a composite alarm.
func childrenOf(row *store.Alarm) []child {
	var data struct{ TriggeringAlarms []child }
	_ = json.Unmarshal([]byte(row.StateReasonData), &data) // a user may have set it
	return append([]child{}, data.TriggeringAlarms...)
}

func triggerOf(row *store.Alarm) *trigger {
	t := &trigger{
		MetricName: row.Metric, Namespace: row.Namespace, Unit: optional(row.Unit), Period: row.Period,
		EvaluationPeriods: row.EvaluationPeriods, DatapointsToAlarm: row.DatapointsToAlarm,
		ComparisonOperator: row.Comparison, Threshold: row.Threshold, TreatMissingData: row.TreatMissing,
		EvaluateLowSampleCountPercentile: row.EvaluateLowSample, Metrics: json.RawMessage(row.Queries),
	}
	switch {
	case row.Statistic != "":
		t.StatisticType, t.Statistic = "Statistic", strings.ToUpper(row.Statistic)
		if row.Statistic == "SampleCount" {
			t.Statistic = "SAMPLE_COUNT"
		}
	case row.ExtendedStatistic != "":
		t.StatisticType, t.ExtendedStatistic = "ExtendedStatistic", row.ExtendedStatistic
	}
	if t.TreatMissingData == "" {
		t.TreatMissingData = "missing"
	}
	if row.Queries == "" {
		t.Dimensions = []dimension{}
	}
	for _, d := range row.Dimensions {
		t.Dimensions = append(t.Dimensions, dimension{d.Value, d.Name})
	}
	return t
}

func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// list returns a list that JSON shows as empty and not as missing.
func list(texts []string) []string { return append([]string{}, texts...) }
