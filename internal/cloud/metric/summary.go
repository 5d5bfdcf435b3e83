package metric

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// Summary summarizes a set of values. The zero value summarizes none.
type Summary struct {
	Count, Sum, Min, Max float64
	// values are the distinct values in ascending order. They are rounded by less than
	// 0.4 %; integers up to 256 are exact.
	values []occurrence
	// valuesUnknown is set if some values arrived already summarized, which leaves
	// their percentiles unknown.
	valuesUnknown bool
}

// occurrence is a value and how often it occurred.
type occurrence struct{ value, times float64 }

func occurrences(value, times float64) []occurrence { return []occurrence{{roundValue(value), times}} }

func compareValues(a, b occurrence) int { return cmp.Compare(a.value, b.value) }

// SummaryOf summarizes one value that occurred the given number of times.
func SummaryOf(value, times float64) Summary {
	return Summary{
		Count:  times,
		Sum:    value * times,
		Min:    value,
		Max:    value,
		values: occurrences(value, times),
	}
}

// SummaryBetween summarizes values known by their bounds, sum and count. For
// percentiles they all count as the middle of the bounds.
func SummaryBetween(low, high, sum, count float64) Summary {
	return Summary{
		Count:  count,
		Sum:    sum,
		Min:    low,
		Max:    high,
		values: occurrences((low+high)/2, count),
	}
}

// SummaryOfSet summarizes values that are not known individually. Their
// percentiles are only known if all values are the same (Amazon CloudWatch User
// Guide, Percentiles: statistic sets).
func SummaryOfSet(count, sum, low, high float64) Summary {
	if count == 1 || low == high {
		return Summary{Count: count, Sum: sum, Min: low, Max: high, values: occurrences(low, count)}
	}
	return Summary{Count: count, Sum: sum, Min: low, Max: high, valuesUnknown: true}
}

// roundValue rounds v to eight significant bits.
func roundValue(v float64) float64 {
	fraction, exponent := math.Frexp(v)
	return math.Ldexp(math.Round(fraction*256), exponent-8)
}

// Merge adds the values of another summary.
func (s *Summary) Merge(o Summary) {
	if o.Count == 0 {
		return
	}
	if s.Count == 0 {
		s.Min, s.Max = o.Min, o.Max
	}
	s.Count, s.Sum = s.Count+o.Count, s.Sum+o.Sum
	s.Min, s.Max = min(s.Min, o.Min), max(s.Max, o.Max)
	s.valuesUnknown = s.valuesUnknown || o.valuesUnknown
	for _, v := range o.values {
		i, found := slices.BinarySearchFunc(s.values, v, compareValues)
		if found {
			s.values[i].times += v.times
		} else {
			s.values = slices.Insert(s.values, i, v)
		}
	}
}

func (s *Summary) clone() Summary {
	out := *s
	out.values = slices.Clone(s.values)
	return out
}

// Average returns the mean of the values.
func (s *Summary) Average() float64 { return s.Sum / s.Count }

// Spread returns a statistic of points in each of n periods from a time on, NaN for those
// without data. Values in different units are merged.
func Spread(points []Point, start time.Time, period time.Duration, n int, compute Statistic) []float64 {
	sums, out := make([]Summary, n), make([]float64, n)
	for _, p := range points {
		if i := int(p.At.Sub(start) / period); i >= 0 && i < n {
			sums[i].Merge(p.Summary)
		}
	}
	for i := range out {
		out[i] = math.NaN()
		if v, ok := compute(&sums[i]); ok && sums[i].Count > 0 {
			out[i] = v
		}
	}
	return out
}
