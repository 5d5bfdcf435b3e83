package alarm

import (
	"encoding/json"
	"time"

	"aloft.dev/aloft/internal/cloud/metric"
	"aloft.dev/aloft/internal/cloud/store"
)

// Query is a metric data query in the parts that an alarm evaluates. It has the JSON form of
// the SDK's type.
type Query struct {
	ID         string `json:"Id"`
	Expression string `json:",omitempty"`
	MetricStat *MetricStat
	ReturnData *bool
}

// MetricStat is a statistic of a metric, in the JSON form of the SDK's type.
type MetricStat struct {
	Metric struct {
		Namespace, MetricName string
		Dimensions            []store.MetricDimension
	}
	Period     int32
	Stat, Unit string
}

// watched returns the statistic as what an alarm watches.
func (s *MetricStat) watched() WatchedMetric {
	return WatchedMetric{
		Metric:    metricID(s.Metric.Namespace, s.Metric.MetricName, s.Metric.Dimensions),
		Period:    time.Duration(s.Period) * time.Second,
		Statistic: s.Stat,
		Unit:      s.Unit,
	}
}

// EncodeQueries encodes queries for an alarm's row. It sets a missing period to
// the given one, in seconds.
func EncodeQueries(queries []Query, period int32) string {
	for i := range queries {
		if q := &queries[i]; q.MetricStat != nil && q.MetricStat.Period == 0 {
			stat := *q.MetricStat
			stat.Period = period
			q.MetricStat = &stat
		}
	}
	return encodeJSON(queries)
}

// WatchedMetric identifies the statistic of a metric that an alarm watches, or an expression.
type WatchedMetric struct {
	Metric    metric.ID
	Period    time.Duration
	Statistic string
	Unit      string // empty: any unit

	// Expression is the id of the query whose expression the alarm watches. All else but the
	// period is empty then.
	Expression string
}

// WatchedBy returns what the alarm watches: its metric, or the query that returns data.
func WatchedBy(row *store.Alarm) WatchedMetric {
	if row.Queries == "" {
		stat := row.Statistic
		if stat == "" {
			stat = row.ExtendedStatistic
		}
		return WatchedMetric{
			Metric:    metricID(row.Namespace, row.Metric, row.Dimensions),
			Period:    time.Duration(row.Period) * time.Second,
			Statistic: stat,
			Unit:      row.Unit,
		}
	}
	queries := queriesOf(row)
	for _, q := range queries {
		switch {
		case q.ReturnData != nil && !*q.ReturnData:
		case q.MetricStat != nil:
			return q.MetricStat.watched()
		default:
			return WatchedMetric{Expression: q.ID, Period: periodOf(queries)}
		}
	}
	return WatchedMetric{}
}

// queriesOf returns the queries of an alarm's row.
func queriesOf(row *store.Alarm) (queries []Query) {
	_ = json.Unmarshal([]byte(row.Queries), &queries) // written by EncodeQueries or PutMetricAlarm
	return queries
}

// periodOf returns the period of an alarm's metrics, which is the same for all.
func periodOf(queries []Query) time.Duration {
	for _, q := range queries {
		if q.MetricStat != nil {
			return q.MetricStat.watched().Period
		}
	}
	return 0
}

func metricID(namespace, name string, dimensions []store.MetricDimension) metric.ID {
	converted := make([]metric.Dimension, 0, len(dimensions))
	for _, d := range dimensions {
		converted = append(converted, metric.Dimension(d))
	}
	return metric.NewID(namespace, name, converted...)
}
