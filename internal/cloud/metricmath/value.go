package metricmath

import (
	"math"
)

// value is a scalar, a series or an array.
type value interface{ kind() string }

type (
	scalar float64
	series struct {
		values []float64
		id     string // of the metric; empty: it was computed
		label  string
	}
	array []series
)

// The names of types are those of AWS's errors.
func (scalar) kind() string { return "Scalar" }
func (series) kind() string { return "TimeSeries" }
func (array) kind() string  { return "Array[TimeSeries]" }

// finite returns a value, or none in place of what is not a number, such as a quotient by zero.
func finite(v float64) float64 {
	if math.IsInf(v, 0) {
		return math.NaN()
	}
	return v
}

func missing(v float64) bool { return math.IsNaN(v) }

// orZero returns a value that is missing as zero.
func orZero(v float64) float64 {
	if missing(v) {
		return 0
	}
	return v
}

// each returns a value with a function applied to every series of it.
func (r *run) each(v value, apply func(values []float64) []float64) (value, error) {
	switch v := v.(type) {
	case series:
		if err := r.spend(1); err != nil {
			return nil, err
		}
		return series{values: apply(v.values), label: v.label}, nil
	case array:
		if err := r.spend(len(v)); err != nil {
			return nil, err
		}
		out := make(array, len(v))
		for i, s := range v {
			out[i] = series{values: apply(s.values), label: s.label}
		}
		return out, nil
	}
	return nil, problemf("a %s is no time series", v.kind())
}

// eachPoint returns a function that applies another to every value that is not missing.
func eachPoint(apply func(v float64) float64) func(values []float64) []float64 {
	return func(values []float64) []float64 {
		out := make([]float64, len(values))
		for i, v := range values {
			out[i] = finite(apply(v)) // of NaN, NaN
		}
		return out
	}
}

// combine computes an operation on two values. A period in which only one of two series has
// a value counts the other's as zero.
func (r *run) combine(symbol string, left, right value, apply func(a, b float64) float64) (value, error) {
	a, aIsScalar := left.(scalar)
	b, bIsScalar := right.(scalar)
	_, aIsArray := left.(array)
	_, bIsArray := right.(array)
	switch {
	case aIsScalar && bIsScalar:
		return scalar(apply(float64(a), float64(b))), nil
	case aIsArray && bIsArray:
		return nil, problemf("Unsupported operand type(s) for %s: '[%s, %s]'",
			symbol, left.kind(), right.kind())
	case bIsScalar:
		return r.each(left, eachPoint(func(v float64) float64 { return onlyKnown(v, apply(v, float64(b))) }))
	case aIsScalar:
		return r.each(right, eachPoint(func(v float64) float64 { return onlyKnown(v, apply(float64(a), v)) }))
	case bIsArray:
		s, _ := left.(series)
		return r.each(right, func(values []float64) []float64 { return pairs(s.values, values, apply) })
	}
	s, _ := right.(series)
	return r.each(left, func(values []float64) []float64 { return pairs(values, s.values, apply) })
}

// onlyKnown returns a result, or none if what it was computed of is missing: comparisons of
// NaN are false and not NaN.
func onlyKnown(of, result float64) float64 {
	if missing(of) {
		return of
	}
	return result
}

func pairs(left, right []float64, apply func(a, b float64) float64) []float64 {
	out := make([]float64, len(left))
	for i := range left {
		if missing(left[i]) && missing(right[i]) {
			out[i] = math.NaN()
			continue
		}
		out[i] = finite(apply(orZero(left[i]), orZero(right[i])))
	}
	return out
}
