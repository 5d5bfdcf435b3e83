package cloudwatch

import (
	"time"

	"aloft.dev/aloft/internal/cloud/metric"
)

// timeRange is the time from which to just before which a request reads a metric,
// and the length of its periods in seconds.
type timeRange struct {
	from, to time.Time
	period   int32
	asked    time.Time // from as the request has it
}

// of returns the range with periods of some seconds. Those of less than a minute start at multiples of their length
// (GetMetricStatistics, StartTime).
func (r timeRange) of(period int32) timeRange {
	r.period = period
	if length := r.length(); length < metric.Resolution {
		r.from = r.asked.Truncate(length)
	}
	return r
}

func (r timeRange) length() time.Duration { return time.Duration(r.period) * time.Second }

// checkPeriod refuses periods whose length CloudWatch does not support.
func checkPeriod(period *int32) error {
	if period == nil {
		return missingParameter("Period")
	}
	switch p := *period; {
	case p == 1, p == 5, p == 10, p == 20, p == 30, p > 0 && p%60 == 0:
		return nil
	}
	return invalid("The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60.")
}

// readTimeRange returns the range between two times. The first period starts at a
// whole minute, as CloudWatch rounds times of the last fifteen days
// (GetMetricStatistics, StartTime).
func readTimeRange(from, to *time.Time) (timeRange, error) {
	switch {
	case from == nil:
		return timeRange{}, missingParameter("StartTime")
	case to == nil:
		return timeRange{}, missingParameter("EndTime")
	case !from.Before(*to):
		return timeRange{}, invalid("The parameter StartTime must be less than the parameter EndTime.")
	}
	return timeRange{from: from.UTC().Truncate(metric.Resolution), to: to.UTC(), asked: from.UTC()}, nil
}

// aggregate merges points into periods, in the order of time. It never mixes
// values in different units.
func (r timeRange) aggregate(points []metric.Point) []metric.Point {
	type bucket struct {
		at   int64
		unit string
	}
	length, known := r.length(), map[bucket]int{}
	var out []metric.Point
	for _, p := range points {
		start := r.from.Add(p.At.Sub(r.from).Truncate(length))
		k, ok := known[bucket{start.Unix(), p.Unit}]
		if !ok {
			k = len(out)
			known[bucket{start.Unix(), p.Unit}] = k
			out = append(out, metric.Point{At: start, Unit: p.Unit})
		}
		out[k].Merge(p.Summary)
	}
	return out
}
