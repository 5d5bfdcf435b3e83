package store

import (
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
)

// The keys are ARNs and ids. AlarmHistoriesByAlarm finds "region/alarm".
var (
	Alarms         = newTable("alarms", func(r *Alarm) string { return r.ARN }, (*Alarm).region)
	AlarmHistories = newTable(
		"alarm_histories",
		func(r *AlarmHistory) string { return r.ID },
		(*AlarmHistory).region,
	)
	AlarmHistoriesByAlarm = AlarmHistories.indexBy(
		"alarm",
		func(r *AlarmHistory) string { return r.Region.Key(r.Alarm) },
	)
)

// Alarm is a CloudWatch alarm on one metric or on a metric math expression, or a composite
// alarm, which has a rule.
type Alarm struct {
	ARN, Name                    string
	Region                       identity.Region
	Description                  string
	ActionsDisabled              bool
	OKActions, AlarmActions      []string // ARNs
	NoDataActions                []string // for the state INSUFFICIENT_DATA
	Namespace, Metric            string
	Statistic, ExtendedStatistic string
	Dimensions                   []MetricDimension
	Period                       int32 // seconds
	EvaluationPeriods            int32
	DatapointsToAlarm            int32 // 0: EvaluationPeriods
	Threshold                    float64
	Comparison                   string
	TreatMissing                 string
	EvaluateLowSample            string
	Unit                         string
	Queries                      string // metric data queries in JSON, as sent, instead of the metric
	ThresholdMetricID            string
	Rule                         string // of a composite alarm; "": it watches a metric
	Suppressor                   string // name or ARN of the alarm that suppresses its actions
	SuppressorWait               int32  // seconds
	SuppressorExtension          int32  // seconds
	Tags                         Tags
	Configured                   time.Time

	// Observed.
	State           string // "OK", "ALARM", "INSUFFICIENT_DATA"
	PreviousState   string // before State; empty: none
	StateReason     string
	StateReasonData string
	StateUpdated    time.Time
	StateChanged    time.Time
	ActionsRan      time.Time // last run of its actions; they are due if it is before StateChanged
	AlarmLeft       time.Time // last end of the state ALARM
	Inputs          string    // stands for what the state of a composite alarm was last derived from; "": nothing
	SuppressedBy    string    // "Alarm", "WaitPeriod", "ExtensionPeriod"; "": its actions are not suppressed
}

func (r *Alarm) region() identity.Region { return r.Region }

// MetricDimension is a dimension of a metric.
type MetricDimension struct{ Name, Value string }

// AlarmHistory is an item of an alarm's history.
type AlarmHistory struct {
	ID, Alarm     string
	Region        identity.Region
	Kind          string // "CompositeAlarm"; "": an alarm that watches a metric
	At            time.Time
	Type          string // "ConfigurationUpdate", "StateUpdate", "Action"
	Summary, Data string
}

func (r *AlarmHistory) region() identity.Region { return r.Region }
