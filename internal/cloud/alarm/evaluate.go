package alarm

import (
	"math"
	"strconv"
	"strings"
	"time"

	"aloft.dev/aloft/internal/cloud/store"
)

// Evaluate judges the points of an evaluation range, newest first. keep: the
// alarm stays in the state it has.
//
// As many existing points as there are evaluation periods decide when there are
// so many in the range; else all that exist do, and the missing ones are treated
// as the alarm says. Without a treatment, breaching points alone make an alarm
// when the oldest is old enough that no point that is still to come could make
// the state another (Amazon CloudWatch User Guide, Avoiding premature transitions
// to alarm state).
func Evaluate(row *store.Alarm, points []Datapoint, now time.Time) (v Verdict, keep bool) {
	j := newEvaluation(row, points, now)
	switch {
	case row.EvaluateLowSample == "ignore" && j.fewSamples():
		return Verdict{}, true
	case len(j.breaching) >= j.m:
		return j.verdict(InAlarm), false
	case j.missing == 0:
		return j.verdict(OK), false
	case row.TreatMissing == "breaching" && len(j.breaching)+j.missing >= j.m:
		return j.verdict(InAlarm), false
	case row.TreatMissing == "breaching", row.TreatMissing == "notBreaching", len(j.within) > 0:
		return j.verdict(OK), false
	case row.TreatMissing == "ignore":
		return Verdict{}, true
	case j.oldest >= j.m:
		return j.verdict(InAlarm), false
	}
	return j.verdict(InsufficientData), false
}

// newEvaluation sorts the points of an evaluation range, newest first.
func newEvaluation(row *store.Alarm, points []Datapoint, now time.Time) *evaluation {
	n := int(row.EvaluationPeriods)
	j := &evaluation{row: row, n: n, m: n, now: now, watched: WatchedBy(row)}
	if row.DatapointsToAlarm > 0 {
		j.m = int(row.DatapointsToAlarm)
	}
	for i, p := range points {
		if !p.Known || len(j.existing) == n {
			continue
		}
		j.existing = append(j.existing, p)
		if Breaches(row, p.Value) {
			j.breaching, j.oldest = append(j.breaching, p), i+1
		} else {
			j.within = append(j.within, p)
		}
	}
	j.missing = n - len(j.existing)
	gaps := j.missing
	for _, p := range points {
		if p.Known && len(j.evaluated) < n {
			j.evaluated = append(j.evaluated, p)
		} else if gaps > 0 && !p.Known {
			gaps, j.evaluated = gaps-1, append(j.evaluated, p)
		}
	}
	return j
}

// evaluation is what an evaluation looks at.
type evaluation struct {
	row                         *store.Alarm
	watched                     WatchedMetric
	now                         time.Time
	n, m                        int         // evaluation periods, and how many of them make an alarm
	existing, breaching, within []Datapoint // newest first
	oldest                      int         // how many periods ago the oldest breaching point was
	missing                     int
	evaluated                   []Datapoint // the existing ones and as many missing ones as were needed
}

// Breaches tells whether the alarm's comparison holds of the value.
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

// fewSamples tells whether the evaluation has too few samples for its percentile:
// fewer than 10/(1-p), of percentiles below the median 10/p (Amazon CloudWatch
// User Guide, Percentile-based CloudWatch alarms and low data samples).
func (j *evaluation) fewSamples() bool {
	p, err := strconv.ParseFloat(strings.TrimPrefix(j.watched.Statistic, "p"), 64)
	if !strings.HasPrefix(j.watched.Statistic, "p") || err != nil {
		return false
	}
	samples := 0.0
	for _, point := range j.existing {
		samples += point.Samples
	}
	if p /= 100; p >= 0.5 {
		p = 1 - p
	}
	return p > 0 && samples < math.Floor(10/p+1e-6)
}
