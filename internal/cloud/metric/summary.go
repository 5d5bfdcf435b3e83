package metric

import (
	"maps"
	"math"
	"time"
)

// Summary summarizes a set of values. The zero value summarizes none.
type Summary struct {
	Count, Sum, Min, Max float64
	// values maps each value to its number of occurrences. Values are rounded by
	// less than 0.4 %; integers up to 256 are exact.
	values map[float64]float64
	// valuesUnknown is set if some values arrived already summarized, which leaves
	// their percentiles unknown.
	valuesUnknown bool
}

// SummaryOf summarizes one value that occurred the given number of times.
func SummaryOf(value, times float64) Summary {
	return Summary{
		Count:  times,
		Sum:    value * times,
		Min:    value,
		Max:    value,
		values: map[float64]float64{roundValue(value): times},
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
		values: map[float64]float64{roundValue((low + high) / 2): count},
	}
}

// SummaryOfSet summarizes values that are not known individually. Their
// percentiles are only known if all values are the same (Amazon CloudWatch User
// Guide, Percentiles: statistic sets).
func SummaryOfSet(count, sum, low, high float64) Summary {
	if count == 1 || low == high {
		return Summary{Count: count, Sum: sum, Min: low, Max: high, values: map[float64]float64{roundValue(low): count}}
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
	if s.values == nil {
		s.values = make(map[float64]float64, len(o.values))
	}
	for v, n := range o.values {
		s.values[v] += n
	}
}

func (s *Summary) clone() Summary {
	out := *s
	out.values = maps.Clone(s.values)
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
