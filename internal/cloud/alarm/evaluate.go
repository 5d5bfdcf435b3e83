package alarm

import (
	"math"
	"strconv"
	"strings"
	"time"

	"aloft.dev/aloft/internal/cloud/store"
)

// Evaluate returns the state that follows from the data points of an evaluation
// range, newest first. keep reports that the alarm keeps its state.
//
// If the range has as many known points as the alarm has evaluation periods, the
// newest of those decide. Otherwise all known points do, and missing ones are
// treated as the alarm says. If it does not say, breaching points raise the alarm
// only when the oldest of them is so old that no point still to arrive could lead
// to another state (Amazon CloudWatch User Guide, Avoiding premature transitions
// to alarm state).
func Evaluate(row *store.Alarm, points []Datapoint, now time.Time) (v Verdict, keep bool) {
	e := newEvaluation(row, points, now)
	switch {
	case row.EvaluateLowSample == "ignore" && e.fewSamples():
		return Verdict{}, true
	case len(e.breaching) >= e.m:
		return e.verdict(InAlarm), false
	case e.missing == 0:
		return e.verdict(OK), false
	case row.TreatMissing == "breaching" && len(e.breaching)+e.missing >= e.m:
		return e.verdict(InAlarm), false
	case row.TreatMissing == "breaching", row.TreatMissing == "notBreaching", len(e.within) > 0:
		return e.verdict(OK), false
	case row.TreatMissing == "ignore":
		return Verdict{}, true
	case e.oldest >= e.m:
		return e.verdict(InAlarm), false
	}
	return e.verdict(InsufficientData), false
}

// newEvaluation classifies the data points of an evaluation range, newest first.
func newEvaluation(row *store.Alarm, points []Datapoint, now time.Time) *evaluation {
	n := int(row.EvaluationPeriods)
	e := &evaluation{row: row, n: n, m: n, now: now, watched: WatchedBy(row)}
	if row.DatapointsToAlarm > 0 {
		e.m = int(row.DatapointsToAlarm)
	}
	for i, p := range points {
		if !p.Known || len(e.existing) == n {
			continue
		}
		e.existing = append(e.existing, p)
		if Breaches(row, p.Value) {
			e.breaching, e.oldest = append(e.breaching, p), i+1
		} else {
			e.within = append(e.within, p)
		}
	}
	e.missing = n - len(e.existing)
	gaps := e.missing
	for _, p := range points {
		if p.Known && len(e.evaluated) < n {
			e.evaluated = append(e.evaluated, p)
		} else if gaps > 0 && !p.Known {
			gaps, e.evaluated = gaps-1, append(e.evaluated, p)
		}
	}
	return e
}

// evaluation holds the data points of an evaluation range by their role.
type evaluation struct {
	row                         *store.Alarm
	watched                     WatchedMetric
	now                         time.Time
	n, m                        int         // evaluation periods, and how many must breach
	existing, breaching, within []Datapoint // newest first
	oldest                      int         // age of the oldest breaching point, in periods
	missing                     int
	evaluated                   []Datapoint // the existing points and the missing ones that replace others
}

// Breaches reports whether the value breaches the alarm's threshold.
func Breaches(row *store.Alarm, value float64) bool {
	switch row.Comparison {
	case "GreaterThanOrEqualToThreshold":
		return value >= row.Threshold
	case "GreaterThanThreshold":
		return value > row.Threshold
	case "LessThanThreshold":
		return value < row.Threshold
	case "LessThanOrEqualToThreshold":
		return value <= row.Threshold
	}
	return false
}

// fewSamples reports whether the evaluation has too few samples for its
// percentile: fewer than 10/(1-p), or for percentiles below the median, fewer
// than 10/p (Amazon CloudWatch User Guide, Percentile-based CloudWatch alarms and
// low data samples).
func (e *evaluation) fewSamples() bool {
	p, err := strconv.ParseFloat(strings.TrimPrefix(e.watched.Statistic, "p"), 64)
	if !strings.HasPrefix(e.watched.Statistic, "p") || err != nil {
		return false
	}
	samples := 0.0
	for _, point := range e.existing {
		samples += point.Samples
	}
	if p /= 100; p >= 0.5 {
		p = 1 - p
	}
	return p > 0 && samples < math.Floor(10/p+1e-6)
}
