package metricmath

import (
	"cmp"
	"math"
	"slices"
)

// summary returns the function that reduces a series to a scalar, and an array to a series,
// period by period. reduce gets the values that are not missing, and the number of all.
func summary(reduce func(known []float64, all int) float64) function {
	return function{1, 1, func(r *run, n call) (value, error) {
		v, err := n.value(r, 0)
		if err != nil {
			return nil, err
		}
		switch v := v.(type) {
		case series:
			known := withoutMissing(v.values)
			return scalar(reduce(known, len(known))), r.spend(1)
		case array:
			if err := r.spend(len(v)); err != nil {
				return nil, err
			}
			values := r.empty()
			for i := range values {
				if known := v.known(i); len(known) > 0 {
					values[i] = finite(reduce(known, len(v)))
				}
			}
			return series{values: values}, nil
		}
		return nil, n.wrong(v)
	}}
}

// known returns the values of a period that are not missing.
func (a array) known(period int) (values []float64) {
	for _, s := range a {
		if v := s.values[period]; !missing(v) {
			values = append(values, v)
		}
	}
	return values
}

func withoutMissing(values []float64) []float64 {
	return slices.DeleteFunc(slices.Clone(values), missing)
}

func sum(known []float64, _ int) (total float64) {
	for _, v := range known {
		total += v
	}
	return total
}

// average counts the missing values of other series of an array as zero.
func average(known []float64, all int) float64 { return sum(known, all) / float64(all) }

func least(known []float64, _ int) float64 {
	if len(known) == 0 {
		return math.NaN()
	}
	return slices.Min(known)
}

func most(known []float64, _ int) float64 {
	if len(known) == 0 {
		return math.NaN()
	}
	return slices.Max(known)
}

// deviation is that of a population, whose values are all known.
func deviation(known []float64, _ int) float64 {
	mean, squares := average(known, len(known)), 0.0
	for _, v := range known {
		squares += (v - mean) * (v - mean)
	}
	return math.Sqrt(squares / float64(len(known)))
}

func count(known []float64, _ int) float64 { return float64(len(known)) }

// element returns the function that returns one series of an array.
func element(of func(a array) series) function {
	return function{1, 1, func(r *run, n call) (value, error) {
		a, err := n.array(r)
		if err != nil || len(a) == 0 {
			return series{values: r.empty()}, err
		}
		return of(a), nil
	}}
}

// removeEmpty keeps the series that have values.
func removeEmpty(r *run, n call) (value, error) {
	a, err := n.array(r)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(a), func(s series) bool { return len(withoutMissing(s.values)) == 0 }),
		r.spend(len(a))
}

// slice returns the series of an array from one number to just before another.
func slice(r *run, n call) (value, error) {
	a, err := n.array(r)
	if err != nil {
		return nil, err
	}
	bounds := [2]int{0, len(a)}
	for i := 1; i < len(n.args); i++ {
		s, err := n.scalar(r, i)
		if err != nil {
			return nil, err
		}
		bounds[i-1] = int(math.Min(math.Max(s, 0), float64(len(a))))
	}
	return a[min(bounds[0], bounds[1]):bounds[1]], nil
}

// sortSeries sorts an array by what a function makes of each series.
func sortSeries(r *run, n call) (value, error) {
	a, err := n.array(r)
	if err != nil {
		return nil, err
	}
	by := map[string]func([]float64, int) float64{"AVG": average, "MIN": least, "MAX": most, "SUM": sum}[n.word(
		1, "AVG", "MIN", "MAX", "SUM",
	)]
	order := n.word(2, "ASC", "DESC")
	if by == nil || order == "" {
		return nil, problem("Function 'SORT' takes one of AVG, MIN, MAX and SUM, and one of ASC and DESC")
	}
	if err := r.spend(len(a)); err != nil {
		return nil, err
	}
	keys := make(map[int]float64, len(a))
	indexes := make([]int, len(a))
	for i, s := range a {
		known := withoutMissing(s.values)
		keys[i], indexes[i] = by(known, len(known)), i
	}
	slices.SortStableFunc(indexes, func(x, y int) int {
		if order == "DESC" {
			x, y = y, x
		}
		return cmp.Compare(keys[x], keys[y])
	})
	out := make(array, len(a))
	for i, k := range indexes {
		out[i] = a[k]
	}
	if len(n.args) == 4 {
		limit, err := n.scalar(r, 3)
		if err != nil {
			return nil, err
		}
		out = out[:int(math.Min(math.Max(limit, 0), float64(len(out))))]
	}
	return out, nil
}
