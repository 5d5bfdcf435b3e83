package report

import (
	"cmp"
	"math"
	"slices"
	"time"

	"aloft.dev/aloft/internal/load"
)

// measureLatencies sets the latencies before, during and after the failure.
func (r *Report) measureLatencies(f Facts) {
	var before, during, after []time.Duration
	calm := cmp.Or(max(f.Recovered, f.Restored), math.MaxInt64)
	if f.Detected > 0 && f.Recovered == 0 {
		calm = math.MaxInt64 // the deployment did not recover
	}
	for _, s := range f.Recording.Samples {
		switch {
		case s.Kind != load.OK:
		case f.Injected == 0 || s.At+s.Latency < f.Injected:
			before = append(before, s.Latency)
		case s.At < calm:
			during = append(during, s.Latency)
		default:
			after = append(after, s.Latency)
		}
	}
	r.Latency = Latencies{percentiles(before), percentiles(during), percentiles(after)}
}

func percentiles(d []time.Duration) Percentiles {
	slices.Sort(d)
	return Percentiles{percentile(d, 0.5), percentile(d, 0.99), percentile(d, 0.999)}
}

// percentile returns the smallest value that at least the share q of the sorted
// values does not exceed, in milliseconds.
func percentile(d []time.Duration, q float64) float64 {
	if len(d) == 0 {
		return 0
	}
	i := int(math.Ceil(q*float64(len(d)))) - 1
	return float64(d[max(0, i)].Microseconds()) / 1000
}
