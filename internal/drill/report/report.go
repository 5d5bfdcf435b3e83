// Package report tells what a drill has shown: numbers against the bound that
// the settings give, as text, JSON and a picture. It is pure: facts in, report
// out.
package report

import (
	"cmp"
	"math"
	"slices"
	"time"

	"aloft.dev/aloft/internal/load"
)

// Facts are what a drill measured. Times are since Recording.Started; 0: it did
// not come to that.
type Facts struct {
	Experiment, Victim string
	Recording          load.Recording

	Injected      time.Duration // the disturbance began
	Detected      time.Duration // the load balancer called the first victim unhealthy
	OutOfRotation time.Duration // no victim got new requests any more
	Restored      time.Duration // what was changed was put back
	Recovered     time.Duration // as many targets were healthy as before

	Bound    Bound
	Settings Settings
}

// Report is one document: the answer of a drill. Times are in milliseconds, from
// the disturbance on; null: it did not come to that.
type Report struct {
	Experiment     string         `json:"experiment"`
	Victim         string         `json:"victim"`
	Sent           int            `json:"sent"`
	Failed         int            `json:"failed"`
	FailedByKind   map[string]int `json:"failed_by_kind"`
	Availability   float64        `json:"availability"` // part of the requests that were answered well, 0 to 1
	ErrorWindow    int64          `json:"error_window_ms"`
	FirstFailure   *int64         `json:"first_failure_ms"`
	LastFailure    *int64         `json:"last_failure_ms"`
	Detected       *int64         `json:"detected_ms"`
	OutOfRotation  *int64         `json:"out_of_rotation_ms"`
	Restored       *int64         `json:"restored_ms"`
	Recovered      *int64         `json:"recovered_ms"`
	Bound          int64          `json:"bound_ms"`
	BoundFrom      string         `json:"bound_from"`  // when it begins: "injected" or "restored"
	BoundPaths     []BoundPath    `json:"bound_paths"` // at the same time; the longest is the bound
	InsideBound    bool           `json:"inside_bound"`
	OutsideOfBound int            `json:"failed_outside_bound"`
	Latency        Latencies      `json:"latency_ms"`
	Targets        []Target       `json:"targets"`
	Advice         []string       `json:"advice"`

	Started time.Time `json:"started"`          // of the load
	Lag     float64   `json:"generator_lag_ms"` // at most so much of a latency is the generator's own

	facts Facts
}

// BoundPath is a sum that bounds the failures.
type BoundPath struct {
	What         string      `json:"what"`
	Milliseconds int64       `json:"ms"`
	Terms        []BoundTerm `json:"terms"`
}

// BoundTerm is a part of such a sum.
type BoundTerm struct {
	What         string `json:"what"`
	Milliseconds int64  `json:"ms"`
}

// Latencies are those of the requests that were answered well, before all was
// disturbed, until all was restored and as many targets were healthy as before,
// and after. A request that was under way at the disturbance may have felt it.
type Latencies struct {
	Before Percentiles `json:"before"`
	During Percentiles `json:"during"`
	After  Percentiles `json:"after"`
}

// Percentiles are in milliseconds; 0 where there was no request.
type Percentiles struct {
	P50  float64 `json:"p50"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p999"`
}

// Target is what one server answered.
type Target struct {
	Name      string `json:"name"`
	Requests  int    `json:"requests"`
	PerSecond []int  `json:"per_second"` // of the run
}

// New makes the report.
func New(f Facts) Report {
	r := Report{
		Experiment: f.Experiment, Victim: f.Victim, Started: f.Recording.Started, Lag: float64(f.Recording.Lag.Microseconds()) / 1000, Sent: len(f.Recording.Samples), FailedByKind: map[string]int{},
		Bound: f.Bound.Total().
			Milliseconds(),
		BoundFrom: "injected", BoundPaths: []BoundPath{}, Targets: targets(f.Recording), Advice: f.Settings.advice(f.Experiment), facts: f,
	}
	if r.Advice == nil {
		r.Advice = []string{}
	}
	if f.Bound.AfterRestore {
		r.BoundFrom = "restored"
	}
	for _, p := range f.Bound.Paths {
		path := BoundPath{What: p.What, Milliseconds: p.Total().Milliseconds()}
		for _, t := range p.Terms {
			path.Terms = append(path.Terms, BoundTerm{t.What, t.Takes.Milliseconds()})
		}
		r.BoundPaths = append(r.BoundPaths, path)
	}
	r.failures(f)
	if r.Availability = 1; r.Sent > 0 {
		r.Availability = float64(r.Sent-r.Failed) / float64(r.Sent)
	}
	r.Detected, r.OutOfRotation = f.after(f.Detected), f.after(f.OutOfRotation)
	r.Restored, r.Recovered = f.after(f.Restored), f.after(f.Recovered)
	r.latencies(f)
	return r
}

// after is a time as counted from the disturbance.
func (f Facts) after(t time.Duration) *int64 {
	if t == 0 || f.Injected == 0 {
		return nil
	}
	ms := (t - f.Injected).Milliseconds()
	return &ms
}

// failures counts those that failed, by the instants at which they were due.
func (r *Report) failures(f Facts) {
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

// allowed is when requests may fail. What comes before an overload is load that
// was found to be coped with, so it has been judged.
func (f Facts) allowed() (from, to time.Duration) {
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

// mayFail tells whether a request may have failed: it was still under way when
// that began, or was due before it was over.
func (f Facts) mayFail(s load.Sample) bool {
	from, to := f.allowed()
	return s.At+s.Latency >= from && s.At <= to
}

// Inside tells whether all failures came within the bound.
func (r Report) Inside() bool { return r.InsideBound }

func (r *Report) latencies(f Facts) {
	var before, during, after []time.Duration
	calm := cmp.Or(max(f.Recovered, f.Restored), math.MaxInt64)
	if f.Detected > 0 && f.Recovered == 0 {
		calm = math.MaxInt64 // it never was
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

// percentile is the smallest value that so many are not above, in milliseconds.
// The values are sorted.
func percentile(d []time.Duration, q float64) float64 {
	if len(d) == 0 {
		return 0
	}
	i := int(math.Ceil(q*float64(len(d)))) - 1
	return float64(d[max(0, i)].Microseconds()) / 1000
}

// targets counts the answers of every server, second by second.
func targets(r load.Recording) []Target {
	seconds := lasts(r)
	by := map[string]*Target{}
	for _, s := range r.Samples {
		if s.Kind != load.OK || s.Target == "" {
			continue
		}
		t := by[s.Target]
		if t == nil {
			t = &Target{Name: s.Target, PerSecond: make([]int, seconds)}
			by[s.Target] = t
		}
		t.Requests++
		t.PerSecond[int(s.At/time.Second)]++
	}
	out := []Target{}
	for _, t := range by {
		out = append(out, *t)
	}
	slices.SortFunc(out, func(a, b Target) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// lasts is how many seconds the recording has, begun ones included.
func lasts(r load.Recording) int {
	if len(r.Samples) == 0 {
		return 0
	}
	return int(r.Samples[len(r.Samples)-1].At/time.Second) + 1
}
