package metric

import (
	"maps"
	"math"
)

// Summary is what a set of values looked like. The zero value is that of none.
type Summary struct {
	Count, Sum, Min, Max float64
	// values holds how often each value came, rounded to less than 0.4 %;
	// integers up to 256 are exact.
	values map[float64]float64
	// valuesUnknown is set when values were summarised before they came here: nobody
	// knows their percentiles.
	valuesUnknown bool
}

// SummaryOf is the summary of one value that came so many times.
func SummaryOf(value, times float64) Summary {
	return Summary{
		Count:  times,
		Sum:    value * times,
		Min:    value,
		Max:    value,
		values: map[float64]float64{roundValue(value): times},
	}
}

// SummaryBetween is the summary of values of which it is known that they lie between
// two, and what their sum is.
func SummaryBetween(low, high, sum, count float64) Summary {
	return Summary{
		Count:  count,
		Sum:    sum,
		Min:    low,
		Max:    high,
		values: map[float64]float64{roundValue((low + high) / 2): count},
	}
}

// SummaryOfSet is the summary of values that are not known one by one. They have
// percentiles only when there is but one (Amazon CloudWatch User Guide,
// Percentiles: statistic sets).
func SummaryOfSet(count, sum, low, high float64) Summary {
	if count == 1 || low == high {
		return Summary{Count: count, Sum: sum, Min: low, Max: high, values: map[float64]float64{roundValue(low): count}}
	}
	return Summary{Count: count, Sum: sum, Min: low, Max: high, valuesUnknown: true}
}

// roundValue keeps eight bits of a value.
func roundValue(v float64) float64 {
	fraction, exponent := math.Frexp(v)
	return math.Ldexp(math.Round(fraction*256), exponent-8)
}

// Merge adds what another summary has.
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

// Average is the mean of the values.
func (s *Summary) Average() float64 { return s.Sum / s.Count }
