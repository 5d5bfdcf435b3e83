// Package report compares what a drill measured with the bound that follows from the
// settings, and presents the result as text, JSON and a picture. It depends on its
// inputs alone.
package report

import (
	"time"

	"aloft.dev/aloft/internal/load"
)

// Facts are the measurements of a drill. Times count from Recording.Started; the time of a
// moment that did not come is 0.
type Facts struct {
	Experiment, Victim string
	Recording          load.Recording

	Injected      time.Duration // the failure began
	Detected      time.Duration // the first victim was no longer healthy
	OutOfRotation time.Duration // no victim received new requests
	Restored      time.Duration // the change was undone
	Recovered     time.Duration // as many targets were healthy as before

	Alerts []string // that went off during the drill; nil: unknown, or there are none

	Bound    Bound
	Settings Settings
}

// Report is the result of a drill. Times are in milliseconds since the failure; the
// time of a moment that did not come is null.
type Report struct {
	Experiment     string         `json:"experiment"`
	Victim         string         `json:"victim"`
	StandsFor      string         `json:"stands_for"` // the failure on AWS that has the same effect
	Sent           int            `json:"sent"`
	Failed         int            `json:"failed"`
	FailedByKind   map[string]int `json:"failed_by_kind"`
	Availability   float64        `json:"availability"` // share of the requests that succeeded, 0 to 1
	ErrorWindow    int64          `json:"error_window_ms"`
	FirstFailure   *int64         `json:"first_failure_ms"`
	LastFailure    *int64         `json:"last_failure_ms"`
	Detected       *int64         `json:"detected_ms"`
	OutOfRotation  *int64         `json:"out_of_rotation_ms"`
	Restored       *int64         `json:"restored_ms"`
	Recovered      *int64         `json:"recovered_ms"`
	Bound          int64          `json:"bound_ms"`
	BoundFrom      string         `json:"bound_from"`  // the moment from which it counts: "injected" or "restored"
	BoundPaths     []BoundPath    `json:"bound_paths"` // run in parallel; the longest is the bound
	InsideBound    bool           `json:"inside_bound"`
	OutsideOfBound int            `json:"failed_outside_bound"`
	Latency        Latencies      `json:"latency_ms"`
	Targets        []Target       `json:"targets"`
	Advice         []string       `json:"advice"`
	Alerts         []string       `json:"alerts,omitzero"` // that went off; absent if nobody is notified of failures

	Started time.Time `json:"started"`          // when the load began
	Lag     float64   `json:"generator_lag_ms"` // the most that the generator adds to a latency

	facts Facts
}

// BoundPath is a Path of the bound.
type BoundPath struct {
	What         string      `json:"what"`
	Milliseconds int64       `json:"ms"`
	Terms        []BoundTerm `json:"terms"`
}

// BoundTerm is a Term of a path.
type BoundTerm struct {
	What         string `json:"what"`
	Milliseconds int64  `json:"ms"`
}

// Latencies are the latencies of successful requests: before the failure, until the
// recovery, and after it. Requests in flight when the failure began count as During.
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

// Target holds the successful requests of one server.
type Target struct {
	Name      string `json:"name"`
	Requests  int    `json:"requests"`
	PerSecond []int  `json:"per_second"` // one number per second of the run
}

// The values of Report.BoundFrom.
const (
	fromInjected = "injected"
	fromRestored = "restored"
)

// New returns the report of a drill.
func New(f Facts) Report {
	r := Report{
		Experiment:   f.Experiment,
		Victim:       f.Victim,
		StandsFor:    standsFor[f.Experiment],
		Started:      f.Recording.Started,
		Lag:          float64(f.Recording.Lag.Microseconds()) / 1000,
		Sent:         len(f.Recording.Samples),
		FailedByKind: map[string]int{},
		Bound:        f.Bound.Total().Milliseconds(),
		BoundFrom:    fromInjected,
		BoundPaths:   []BoundPath{},
		Targets:      targets(f.Recording),
		Alerts:       f.Alerts,
		Advice:       f.Settings.advice(f.Experiment),
		facts:        f,
	}
	if r.Advice == nil {
		r.Advice = []string{}
	}
	if f.Bound.AfterRestore {
		r.BoundFrom = fromRestored
	}
	for _, p := range f.Bound.Paths {
		path := BoundPath{What: p.What, Milliseconds: p.Total().Milliseconds()}
		for _, t := range p.Terms {
			path.Terms = append(path.Terms, BoundTerm{t.What, t.Takes.Milliseconds()})
		}
		r.BoundPaths = append(r.BoundPaths, path)
	}
	r.countFailures(f)
	if r.Availability = 1; r.Sent > 0 {
		r.Availability = float64(r.Sent-r.Failed) / float64(r.Sent)
	}
	r.Detected, r.OutOfRotation = f.sinceFailure(f.Detected), f.sinceFailure(f.OutOfRotation)
	r.Restored, r.Recovered = f.sinceFailure(f.Restored), f.sinceFailure(f.Recovered)
	r.measureLatencies(f)
	return r
}

// sinceFailure returns a time counted from the failure, or nil if it did not come.
func (f Facts) sinceFailure(t time.Duration) *int64 {
	if t == 0 || f.Injected == 0 {
		return nil
	}
	ms := (t - f.Injected).Milliseconds()
	return &ms
}

// standsFor names, for each experiment, the failure on AWS that has the same effect.
var standsFor = map[string]string{
	"instance": "an instance that shuts down in order: scale-in, a Spot interruption, a planned retirement",
	"power":    "the failure of the hardware that an instance runs on",
	"zone":     "the loss of an Availability Zone",
	"app":      "a crash of the application on one instance",
	"freeze":   "a deadlock of the application on one instance",
	"overload": "more traffic than the instances can serve",
}

// Inside reports whether all failures are within the bound.
func (r Report) Inside() bool { return r.InsideBound }
