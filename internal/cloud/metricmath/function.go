package metricmath

import (
	"math"
	"strings"
	"time"
)

// function is a function of expressions, with the least and the most arguments that it takes.
type function struct {
	least, most int
	compute     func(r *run, n call) (value, error)
}

// functions are those of AWS, but for the unsupported ones.
var functions = map[string]function{
	"ABS": mapping(eachPoint(math.Abs)), "CEIL": mapping(eachPoint(math.Ceil)),
	"FLOOR": mapping(eachPoint(math.Floor)), "LOG": mapping(eachPoint(math.Log)),
	"LOG10": mapping(eachPoint(math.Log10)), "RUNNING_SUM": mapping(runningSum),
	"DIFF":      changes(func(by, _ float64) float64 { return by }),
	"DIFF_TIME": changes(func(_, seconds float64) float64 { return seconds }),
	"RATE":      changes(func(by, seconds float64) float64 { return by / seconds }),
	"FILL":      {2, 2, fill},

	"AVG": summary(average), "SUM": summary(sum), "MIN": summary(least), "MAX": summary(most),
	"STDDEV": summary(deviation), "DATAPOINT_COUNT": summary(count),

	"MINUTE": calendar(time.Time.Minute), "HOUR": calendar(time.Time.Hour), "DATE": calendar(time.Time.Day),
	"YEAR":  calendar(time.Time.Year),
	"DAY":   calendar(func(t time.Time) int { return (int(t.Weekday())+6)%7 + 1 }), // Monday is 1
	"MONTH": calendar(func(t time.Time) int { return int(t.Month()) }),
	"EPOCH": calendar(func(t time.Time) int { return int(t.Unix()) }),

	"FIRST":   element(func(a array) series { return a[0] }),
	"LAST":    element(func(a array) series { return a[len(a)-1] }),
	"METRICS": {0, 1, metrics}, "METRIC_COUNT": {1, 1, metricCount}, "PERIOD": {1, 1, period},
	"TIME_SERIES": {1, 1, timeSeries}, "REMOVE_EMPTY": {1, 1, removeEmpty},
	"IF": {2, 3, choose}, "SLICE": {2, 3, slice}, "SORT": {3, 4, sortSeries},
}

// mapping returns the function that changes every series on its own.
func mapping(apply func(values []float64) []float64) function {
	return function{1, 1, func(r *run, n call) (value, error) {
		v, err := n.value(r, 0)
		if err != nil {
			return nil, err
		}
		if _, ok := v.(scalar); ok {
			return nil, n.wrong(v)
		}
		return r.each(v, apply)
	}}
}

func runningSum(values []float64) []float64 {
	total := 0.0
	return eachPoint(func(v float64) float64 {
		if missing(v) {
			return v
		}
		total += v
		return total
	})(values)
}

// changes returns the function that compares each value with the one before it.
func changes(result func(by, seconds float64) float64) function {
	return function{1, 1, func(r *run, n call) (value, error) {
		return mapping(func(values []float64) []float64 {
			out, last := r.empty(), -1
			for i, v := range values {
				if missing(v) {
					continue
				}
				if last >= 0 {
					out[i] = finite(result(v-values[last], float64(i-last)*r.grid.Period.Seconds()))
				}
				last = i
			}
			return out
		}).compute(r, n)
	}}
}

// fill gives values to the periods that have none.
func fill(r *run, n call) (value, error) {
	of, err := n.value(r, 0)
	if err != nil {
		return nil, err
	}
	if _, ok := of.(scalar); ok {
		return nil, n.wrong(of)
	}
	switch n.word(1, "REPEAT", "LINEAR") {
	case "REPEAT":
		return r.each(of, repeat)
	case "LINEAR":
		return r.each(of, interpolate)
	}
	with, err := n.value(r, 1)
	if err != nil {
		return nil, err
	}
	var filler []float64
	switch with := with.(type) {
	case scalar:
		filler = r.fill(float64(with))
	case series:
		filler = with.values
	default:
		return nil, n.wrong(with)
	}
	return r.each(of, func(values []float64) []float64 {
		out := append([]float64(nil), values...)
		for i, v := range out {
			if missing(v) {
				out[i] = filler[i]
			}
		}
		return out
	})
}

// repeat fills gaps with the value before them.
func repeat(values []float64) []float64 {
	out := append([]float64(nil), values...)
	for i := 1; i < len(out); i++ {
		if missing(out[i]) {
			out[i] = out[i-1]
		}
	}
	return out
}

// interpolate fills gaps with the line between the values around them.
func interpolate(values []float64) []float64 {
	out, last := append([]float64(nil), values...), -1
	for i, v := range values {
		if missing(v) {
			continue
		}
		for k := last + 1; last >= 0 && k < i; k++ {
			out[k] = values[last] + (v-values[last])*float64(k-last)/float64(i-last)
		}
		last = i
	}
	return out
}

// calendar returns the function that gives every period a number of its time.
func calendar(of func(t time.Time) int) function {
	return function{1, 1, func(r *run, n call) (value, error) {
		if _, err := n.series(r); err != nil {
			return nil, err
		}
		values := r.empty()
		for i := range values {
			values[i] = float64(of(r.grid.At(i).UTC()))
		}
		return series{values: values}, r.spend(1)
	}}
}

// metrics returns all metrics, or those whose ids contain a text.
func metrics(r *run, n call) (value, error) {
	part := ""
	if len(n.args) > 0 {
		given, ok := n.args[0].(text)
		if !ok {
			return nil, problem("Function 'METRICS' takes a string")
		}
		part = string(given)
	}
	out := array{}
	for _, s := range r.sources {
		if s.Expression != "" || !strings.Contains(s.ID, part) {
			continue
		}
		v, err := r.value(s.ID)
		if err != nil {
			return nil, err
		}
		if of, ok := v.(series); ok {
			out = append(out, of)
		}
	}
	return out, r.spend(len(out))
}

func metricCount(r *run, n call) (value, error) {
	a, err := n.array(r)
	return scalar(len(a)), err
}

// period returns the period of a metric. Results of expressions have none.
func period(r *run, n call) (value, error) {
	s, err := n.series(r)
	if err == nil && s.id == "" {
		err = problem("Function 'PERIOD' takes a metric, not an expression")
	}
	return scalar(r.grid.Period.Seconds()), err
}

func timeSeries(r *run, n call) (value, error) {
	s, err := n.scalar(r, 0)
	return series{values: r.fill(finite(s))}, err
}

// choose is IF: for each period it returns the second argument where the first is not zero,
// else the third. A series without a value counts as zero where the condition, a series, is
// true.
func choose(r *run, n call) (value, error) {
	condition, err := n.value(r, 0)
	if err != nil {
		return nil, err
	}
	branches := [2]value{series{values: r.empty()}, nil} // else, then
	for i := 1; i < len(n.args); i++ {
		v, err := n.value(r, i)
		if err != nil {
			return nil, err
		}
		if _, ok := v.(array); ok {
			return nil, n.wrong(v)
		}
		branches[2-i] = v
	}
	otherwise, then := branches[0], branches[1]
	switch condition := condition.(type) {
	case scalar:
		if condition != 0 && !missing(float64(condition)) {
			return then, nil
		}
		return otherwise, nil
	case series:
		at := func(v value, i int) float64 {
			if s, ok := v.(series); ok {
				return s.values[i]
			}
			s, _ := v.(scalar)
			return float64(s)
		}
		values := r.empty()
		for i, c := range condition.values {
			switch {
			case missing(c):
			case c != 0:
				values[i] = finite(orZero(at(then, i)))
			default:
				values[i] = finite(at(otherwise, i))
			}
		}
		return series{values: values}, r.spend(1)
	}
	return nil, n.wrong(condition)
}
