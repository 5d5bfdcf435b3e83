package alarm

import (
	"time"

	"aloft.dev/aloft/internal/cloud/metric"
	"aloft.dev/aloft/internal/cloud/store"
)

// extraPeriods is how many periods an alarm reads beyond its evaluation periods.
// The guide reads five for three and gives no rule (Amazon CloudWatch User Guide,
// How alarm state is evaluated when data is missing).
const extraPeriods = 2

// Datapoint is the value of the watched statistic in one period.
type Datapoint struct {
	At      time.Time // start of the period
	Known   bool      // the period has data
	Value   float64
	Samples float64
}

// Datapoints computes the data points of the alarm's evaluation range, newest
// first. Periods of any length end at a whole minute, so that they slide from
// minute to minute. Periods whose metrics cannot be read yet are not missing: the
// range ends before them.
func Datapoints(row *store.Alarm, metrics *metric.Store, now time.Time) []Datapoint {
	w := WatchedBy(row)
	compute := metric.ParseStatistic(w.Statistic)
	if compute == nil || w.Period < metric.Resolution {
		return nil
	}
	count, end := int(row.EvaluationPeriods)+extraPeriods, metrics.Readable(now.Truncate(metric.Resolution))
	start := end.Add(-time.Duration(count) * w.Period)
	sums := make([]metric.Summary, count)
	for _, p := range metrics.Points(row.Region, w.Metric, start, end, w.Unit) {
		sums[count-1-int(p.At.Sub(start)/w.Period)].Merge(p.Summary)
	}
	out := make([]Datapoint, count)
	for i := range out {
		out[i].At = end.Add(-time.Duration(i+1) * w.Period)
		if sums[i].Count > 0 {
			out[i].Value, out[i].Known = compute(&sums[i])
			out[i].Samples = sums[i].Count
		}
	}
	return out
}
