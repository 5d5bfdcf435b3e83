package alarm

import (
	"math"
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/metric"
	"aloft.dev/aloft/internal/cloud/metricmath"
	"aloft.dev/aloft/internal/cloud/store"
)

// extraPeriods is how many periods an alarm reads beyond its evaluation periods.
// The guide reads five for three and gives no rule (Amazon CloudWatch User Guide,
// How alarm state is evaluated when data is missing).
const extraPeriods = 2

// shortest is the shortest period of alarms.
const shortest = 10 * time.Second

// IsHighResolution reports whether an alarm is evaluated every ten seconds, because its period is less than a minute.
func IsHighResolution(row *store.Alarm) bool {
	if IsComposite(row) {
		return false
	}
	period := WatchedBy(row).Period
	return shortest <= period && period < metric.Resolution
}

// Datapoint is the value of the watched statistic in one period.
type Datapoint struct {
	At      time.Time // start of the period
	Known   bool      // the period has data
	Value   float64
	Samples float64
}

// Datapoints computes the data points of the alarm's evaluation range, newest
// first. Periods of any length end at a whole minute, so that they slide from
// minute to minute. Those of less than a minute end at tens of seconds. Periods
// whose metrics cannot be read yet are not missing: the range ends before them.
func Datapoints(row *store.Alarm, metrics *metric.Store, now time.Time) []Datapoint {
	w := WatchedBy(row)
	if w.Period < shortest {
		return nil
	}
	step := metric.Resolution
	if w.Period < step {
		step = shortest
	}
	g := metricmath.Grid{Period: w.Period, N: int(row.EvaluationPeriods) + extraPeriods}
	g.Start = metrics.Readable(now.Truncate(step)).Add(-time.Duration(g.N) * w.Period)
	var values, samples []float64
	if w.Expression != "" {
		values, samples = expression(row, w.Expression, metrics, g), make([]float64, g.N)
	} else {
		compute := metric.ParseStatistic(w.Statistic)
		if compute == nil {
			return nil
		}
		values = statistic(row.Region, w, metrics, g, compute)
		samples = statistic(row.Region, w, metrics, g, metric.BasicStatistic("SampleCount"))
	}
	out := make([]Datapoint, g.N)
	for i, v := range values {
		out[g.N-1-i] = Datapoint{At: g.At(i)}
		if !math.IsNaN(v) {
			out[g.N-1-i] = Datapoint{At: g.At(i), Known: true, Value: v, Samples: samples[i]}
		}
	}
	return out
}

// statistic returns a statistic of a metric in each period of a grid.
func statistic(
	region identity.Region, w WatchedMetric, metrics *metric.Store, g metricmath.Grid, compute metric.Statistic,
) []float64 {
	points := metrics.PointsOf(w.Period, region, w.Metric, g.Start, g.At(g.N), w.Unit)
	return metric.Spread(points, g.Start, g.Period, g.N, compute)
}

// expression returns the values of an alarm's expression in each period of a grid. If the
// expression fails, which PutMetricAlarm has refused, it has none.
func expression(row *store.Alarm, id string, metrics *metric.Store, g metricmath.Grid) []float64 {
	none := make([]float64, g.N)
	for i := range none {
		none[i] = math.NaN()
	}
	var sources []metricmath.Source
	given := map[string][]float64{}
	for _, q := range queriesOf(row) {
		sources = append(sources, metricmath.Source{ID: q.ID, Expression: q.Expression})
		if q.MetricStat == nil {
			continue
		}
		w := q.MetricStat.watched()
		if compute := metric.ParseStatistic(w.Statistic); compute != nil {
			given[q.ID] = statistic(row.Region, w, metrics, g, compute)
		}
	}
	program, err := metricmath.Compile(sources)
	if err != nil {
		return none
	}
	series, err := program.Run(g, given)
	if err != nil || len(series[id]) != 1 {
		return none
	}
	return series[id][0].Values
}
