package store

import "time"

// Tables of this file.
var (
	Alarms                = newTable("alarms", func(r *Alarm) string { return r.ARN }, (*Alarm).region)
	AlarmHistories        = newTable("alarm_histories", func(r *AlarmHistory) string { return r.ID }, (*AlarmHistory).region)
	AlarmHistoriesByAlarm = AlarmHistories.indexBy("alarm", func(r *AlarmHistory) string { return regional(r.Region, r.Alarm) })
)

// Alarm is a CloudWatch alarm on one metric or on a metric math expression.
type Alarm struct {
	ARN, Region, Name            string
	Description                  string
	ActionsDisabled              bool
	OKActions, AlarmActions      []string // ARNs
	NoDataActions                []string // for INSUFFICIENT_DATA
	Namespace, Metric            string
	Statistic, ExtendedStatistic string
	Dimensions                   []MetricDimension
	Period                       int32 // seconds
	EvaluationPeriods            int32
	DatapointsToAlarm            int32 // 0: as many as EvaluationPeriods
	Threshold                    float64
	Comparison                   string
	TreatMissing                 string
	EvaluateLowSample            string
	Unit                         string
	Queries                      string // metric data queries as they were sent, as JSON; in place of the metric
	ThresholdMetricID            string
	Tags                         Tags
	Configured                   time.Time

	// Observed.
	State           string // "OK", "ALARM", "INSUFFICIENT_DATA"
	StateReason     string
	StateReasonData string
	StateUpdated    time.Time
	StateChanged    time.Time
	ActionsRan      time.Time // when its actions ran last; before StateChanged: they have yet to
}

func (r *Alarm) region() string { return r.Region }

// MetricDimension is a part of a metric's identity.
type MetricDimension struct{ Name, Value string }

// AlarmHistory is one item of an alarm's history.
type AlarmHistory struct {
	ID, Region, Alarm string
	At                time.Time
	Type              string // "ConfigurationUpdate", "StateUpdate", "Action"
	Summary, Data     string
}

func (r *AlarmHistory) region() string { return r.Region }
