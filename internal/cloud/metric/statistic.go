package metric

import (
	"math"
	"regexp"
	"strconv"
	"strings"
)

// Statistic computes one number of a summary; false: the values it needs are
// not known.
type Statistic func(s *Summary) (float64, bool)

// plainStatistics are those that every summary has.
var plainStatistics = map[string]Statistic{
	"SampleCount": func(s *Summary) (float64, bool) { return s.Count, true },
	"Average":     func(s *Summary) (float64, bool) { return s.Average(), true },
	"Sum":         func(s *Summary) (float64, bool) { return s.Sum, true },
	"Minimum":     func(s *Summary) (float64, bool) { return s.Min, true },
	"Maximum":     func(s *Summary) (float64, bool) { return s.Max, true },
}

// The forms of the others (Amazon CloudWatch User Guide, CloudWatch statistics
// definitions): p99.9, tm90, TM(10%:90%), TM(0.1:0.5), PR(:300).
var (
	shortForm = regexp.MustCompile(`^(p|tm|wm|tc|ts)(\d{1,3}(?:\.\d{1,10})?)$`)
	rangeForm = regexp.MustCompile(`^(TM|WM|TC|TS|PR)\(([\d.]*%?):([\d.]*%?)\)$`)
)

// PlainStatistic finds the statistic of a name among those that every summary
// has: SampleCount, Average, Sum, Minimum, Maximum. nil: it is none of them.
func PlainStatistic(name string) Statistic { return plainStatistics[name] }

// StatisticOf finds the statistic of a name; nil: there is none.
func StatisticOf(name string) Statistic {
	if s := plainStatistics[name]; s != nil {
		return s
	}
	if name == "IQM" {
		return within{"tm", 25, 75, true}.of
	}
	if m := shortForm.FindStringSubmatch(name); m != nil {
		p, err := strconv.ParseFloat(m[2], 64)
		switch {
		case err != nil || p > 100:
			return nil
		case m[1] == "p":
			return func(s *Summary) (float64, bool) { return s.Percentile(p) }
		}
		return within{m[1], 0, p, true}.of
	}
	if m := rangeForm.FindStringSubmatch(name); m != nil {
		return ranged(strings.ToLower(m[1]), m[2], m[3])
	}
	return nil
}

// ranged reads the bounds of a range: both percentages or both values, and not
// both left out.
func ranged(kind, low, high string) Statistic {
	w := within{kind, math.Inf(-1), math.Inf(1), strings.HasSuffix(low, "%") || strings.HasSuffix(high, "%")}
	if low == "" && high == "" || w.percent && kind == "pr" {
		return nil
	}
	if w.percent {
		w.low, w.high = 0, 100
	}
	if !w.bound(low, &w.low) || !w.bound(high, &w.high) || w.low >= w.high {
		return nil
	}
	return w.of
}

// bound reads a bound that was not left out.
func (w within) bound(text string, to *float64) bool {
	if text == "" {
		return true
	}
	v, err := strconv.ParseFloat(strings.TrimSuffix(text, "%"), 64)
	*to = v
	return err == nil && strings.HasSuffix(text, "%") == w.percent && (!w.percent || v <= 100)
}

// within is a statistic of the values in a range: of the trimmed mean, count or
// sum, of the winsorized mean, or of the percent rank.
type within struct {
	kind      string // tm, tc, ts, wm, pr
	low, high float64
	percent   bool // the bounds are percentiles
}

// of counts as far as a value's occurrences are in the range, of percentiles a
// part of them too. A range of values is open at its lower end.
func (w within) of(s *Summary) (float64, bool) {
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

// share is how many of the occurrences of a value, of which so many came before,
// are in the range.
func (w within) share(v, before, count, all float64) float64 {
	if !w.percent {
		if v > w.low && v <= w.high {
			return count
		}
		return 0
	}
	from, to := w.low/100*all, w.high/100*all
	return max(min(before+count, to)-max(before, from), 0)
}

// winsorized is the mean when all values outside the range are those at its
// ends.
func (w within) winsorized(all, n, sum, first, last, below, above float64) float64 {
	if w.percent {
		below, above = w.low/100*all, (1-w.high/100)*all
	} else {
		first, last = max(first, w.low), min(last, w.high)
	}
	return (sum + below*first + above*last) / (n + below + above)
}
