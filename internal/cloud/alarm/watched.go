package alarm

import (
	"encoding/json"
	"time"

	"aloft.dev/aloft/internal/cloud/metric"
	"aloft.dev/aloft/internal/cloud/store"
)

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

// EncodeQueries is how an alarm's row keeps queries. Those that leave their period
// open get the given one, in seconds.
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

// WatchedMetric is what an alarm looks at.
type WatchedMetric struct {
	Metric    metric.ID
	Period    time.Duration
	Statistic string
	Unit      string // empty: any
}

// WatchedBy tells what the alarm looks at: its metric, or the one among its queries
// that returns data.
func WatchedBy(row *store.Alarm) WatchedMetric {
	if row.Queries == "" {
		stat := row.Statistic
		if stat == "" {
			stat = row.ExtendedStatistic
		}
		return WatchedMetric{
			metricID(row.Namespace, row.Metric, row.Dimensions),
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
			return WatchedMetric{
				metricID(m.Metric.Namespace, m.Metric.MetricName, m.Metric.Dimensions),
				time.Duration(m.Period) * time.Second,
				m.Stat,
				m.Unit,
			}
		}
	}
	return WatchedMetric{}
}

func metricID(namespace, name string, dimensions []store.MetricDimension) metric.ID {
	own := make([]metric.Dimension, 0, len(dimensions))
	for _, d := range dimensions {
		own = append(own, metric.Dimension(d))
	}
	return metric.NewID(namespace, name, own...)
}
