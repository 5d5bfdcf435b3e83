package report

import (
	"math"
	"time"

	"aloft.dev/aloft/internal/load"
)

// countFailures counts failed requests at the times at which they were due.
func (r *Report) countFailures(f Facts) {
	first, last := time.Duration(-1), time.Duration(-1)
	for _, s := range f.Recording.Samples {
		if s.Kind == load.OK {
			continue
		}
		r.Failed++
		r.FailedByKind[string(s.Kind)]++
		if first < 0 {
			first = s.At
		}
		last = s.At
		if !f.mayFail(s) {
			r.OutsideOfBound++
		}
	}
	r.InsideBound = r.OutsideOfBound == 0
	if first >= 0 {
		r.ErrorWindow = (last - first).Milliseconds()
		begin, end := (first - f.Injected).Milliseconds(), (last - f.Injected).Milliseconds()
		r.FirstFailure, r.LastFailure = &begin, &end
	}
}

// mayFailPeriod returns the period in which requests may fail. An overload's begins
// with the run: the steps before it were judged when they ended.
func (f Facts) mayFailPeriod() (from, to time.Duration) {
	switch {
	case f.Bound.Total() == 0:
		return 0, math.MaxInt64
	case f.Injected == 0:
		return math.MaxInt64, 0
	case f.Bound.AfterRestore && f.Restored == 0:
		return 0, math.MaxInt64
	case f.Bound.AfterRestore:
		return 0, f.Restored + f.Bound.Total()
	}
	return f.Injected, f.Injected + f.Bound.Total()
}

// mayFail reports whether a request may have failed: it was in flight when the period
// began, or due before it ended.
func (f Facts) mayFail(s load.Sample) bool {
	from, to := f.mayFailPeriod()
	return s.At+s.Latency >= from && s.At <= to
}
