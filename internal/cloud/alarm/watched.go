package alarm

import (
	"encoding/json"
	"time"

	"aloft.dev/aloft/internal/cloud/metric"
	"aloft.dev/aloft/internal/cloud/store"
)

// Query is a metric data query in the parts that an alarm can evaluate here. It
// has the JSON form of the SDK's type.
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

// WatchedMetric identifies the statistic of a metric that an alarm watches.
type WatchedMetric struct {
	Metric    metric.ID
	Period    time.Duration
	Statistic string
	Unit      string // empty: any unit
}

// WatchedBy returns what the alarm watches: its metric, or that of the query that
// returns data.
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
	var queries []Query
	_ = json.Unmarshal([]byte(row.Queries), &queries) // written by EncodeQueries or PutMetricAlarm
	for _, q := range queries {
		if q.MetricStat != nil && (q.ReturnData == nil || *q.ReturnData) {
			m := q.MetricStat
			return WatchedMetric{
				Metric:    metricID(m.Metric.Namespace, m.Metric.MetricName, m.Metric.Dimensions),
				Period:    time.Duration(m.Period) * time.Second,
				Statistic: m.Stat,
				Unit:      m.Unit,
			}
		}
	}
	return WatchedMetric{}
}

func metricID(namespace, name string, dimensions []store.MetricDimension) metric.ID {
	converted := make([]metric.Dimension, 0, len(dimensions))
	for _, d := range dimensions {
		converted = append(converted, metric.Dimension(d))
	}
	return metric.NewID(namespace, name, converted...)
}
