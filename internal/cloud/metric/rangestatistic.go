package metric

import (
	"math"
	"strconv"
	"strings"
)

// rangeStatistic is a statistic of the values within a range: the trimmed mean,
// count or sum, the winsorized mean or the percentile rank.
type rangeStatistic struct {
	kind      string // tm, tc, ts, wm, pr
	low, high float64
	percent   bool // the bounds are percentiles, not values
}

// compute counts only the occurrences of each value that lie in the range. A
// range of percentiles may include some of a value's occurrences; a range of
// values excludes its lower bound.
func (w rangeStatistic) compute(s *Summary) (float64, bool) {
	values, counts, known := s.Distribution()
	if !known {
		return 0, false
	}
	var n, sum, seen, below, above float64
	first, last := values[0], values[len(values)-1]
	for i, v := range values {
		in := w.share(v, seen, counts[i], s.Count)
		if in == 0 && n == 0 {
			below += counts[i]
		} else if in == 0 {
			above += counts[i]
		} else {
			if n == 0 {
				first = v
			}
			last = v
		}
		n, sum, seen = n+in, sum+in*v, seen+counts[i]
	}
	switch {
	case w.kind == "tc":
		return n, true
	case w.kind == "pr":
		return 100 * n / s.Count, true
	case n == 0:
		return 0, false
	case w.kind == "ts":
		return sum, true
	case w.kind == "wm":
		return w.winsorized(s.Count, n, sum, first, last, below, above), true
	}
	return sum / n, true
}

// share returns how many of v's count occurrences lie in the range. before is the
// number of smaller values, all the number of all values.
func (w rangeStatistic) share(v, before, count, all float64) float64 {
	if !w.percent {
		if v > w.low && v <= w.high {
			return count
		}
		return 0
	}
	from, to := w.low/100*all, w.high/100*all
	return max(min(before+count, to)-max(before, from), 0)
}

// winsorized returns the mean with every value outside the range replaced by the
// nearest bound.
func (w rangeStatistic) winsorized(all, n, sum, first, last, below, above float64) float64 {
	if w.percent {
		below, above = w.low/100*all, (1-w.high/100)*all
	} else {
		first, last = max(first, w.low), min(last, w.high)
	}
	return (sum + below*first + above*last) / (n + below + above)
}

// parseRange parses a range. Both bounds must be percentages or both values, and
// one of them may be left out.
func parseRange(kind, low, high string) Statistic {
	w := rangeStatistic{kind, math.Inf(-1), math.Inf(1), strings.HasSuffix(low, "%") || strings.HasSuffix(high, "%")}
	if low == "" && high == "" || w.percent && kind == "pr" {
		return nil
	}
	if w.percent {
		w.low, w.high = 0, 100
	}
	if !w.parseBound(low, &w.low) || !w.parseBound(high, &w.high) || w.low >= w.high {
		return nil
	}
	return w.compute
}

// parseBound parses one bound into to, unless it was left out.
func (w rangeStatistic) parseBound(text string, to *float64) bool {
	if text == "" {
		return true
	}
	v, err := strconv.ParseFloat(strings.TrimSuffix(text, "%"), 64)
	*to = v
	return err == nil && strings.HasSuffix(text, "%") == w.percent && (!w.percent || v <= 100)
}
