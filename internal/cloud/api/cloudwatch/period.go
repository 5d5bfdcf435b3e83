package cloudwatch

import (
	"time"

	"aloft.dev/aloft/internal/cloud/metric"
)

// timeRange is what a request asks of a metric: periods of so many seconds from one
// time to before another.
type timeRange struct {
	from, to time.Time
	period   int32
}

// checkPeriod knows the lengths that a period may have.
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

// readTimeRange begins the first period at a whole minute, as CloudWatch does for
// times of the last fifteen days (GetMetricStatistics, StartTime).
func readTimeRange(from, to *time.Time) (timeRange, error) {
	switch {
	case from == nil:
		return timeRange{}, missingParameter("StartTime")
	case to == nil:
		return timeRange{}, missingParameter("EndTime")
	case !from.Before(*to):
		return timeRange{}, invalid("The parameter StartTime must be less than the parameter EndTime.")
	}
	return timeRange{from: from.UTC().Truncate(metric.Resolution), to: to.UTC()}, nil
}

// aggregate adds up what was measured, in the order of time. Values in different
// units are never mixed.
func (s timeRange) aggregate(points []metric.Point) []metric.Point {
	type place struct {
		at   int64
		unit string
	}
	length, known := time.Duration(s.period)*time.Second, map[place]int{}
	var out []metric.Point
	for _, p := range points {
		start := s.from.Add(p.At.Sub(s.from).Truncate(length))
		k, ok := known[place{start.Unix(), p.Unit}]
		if !ok {
			k = len(out)
			known[place{start.Unix(), p.Unit}] = k
			out = append(out, metric.Point{At: start, Unit: p.Unit})
		}
		out[k].Merge(p.Summary)
	}
	return out
}
