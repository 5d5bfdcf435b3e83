package metric

import (
	"regexp"
	"strconv"
	"strings"
)

// Statistic computes one number from a summary. ok is false if that takes values
// that are not known.
type Statistic func(s *Summary) (value float64, ok bool)

// basicStatistics are defined for every summary.
var basicStatistics = map[string]Statistic{
	"SampleCount": func(s *Summary) (float64, bool) { return s.Count, true },
	"Average":     func(s *Summary) (float64, bool) { return s.Average(), true },
	"Sum":         func(s *Summary) (float64, bool) { return s.Sum, true },
	"Minimum":     func(s *Summary) (float64, bool) { return s.Min, true },
	"Maximum":     func(s *Summary) (float64, bool) { return s.Max, true },
}

// The forms of the other statistics (Amazon CloudWatch User Guide, CloudWatch
// statistics definitions): p99.9, tm90, TM(10%:90%), TM(0.1:0.5), PR(:300).
var (
	shortForm = regexp.MustCompile(`^(p|tm|wm|tc|ts)(\d{1,3}(?:\.\d{1,10})?)$`)
	rangeForm = regexp.MustCompile(`^(TM|WM|TC|TS|PR)\(([\d.]*%?):([\d.]*%?)\)$`)
)

// BasicStatistic returns SampleCount, Average, Sum, Minimum or Maximum, which are
// defined for every summary, or nil if name is none of them.
func BasicStatistic(name string) Statistic { return basicStatistics[name] }

// ParseStatistic returns the statistic that name denotes, or nil if there is
// none.
func ParseStatistic(name string) Statistic {
	if s := basicStatistics[name]; s != nil {
		return s
	}
	if name == "IQM" {
		return rangeStatistic{"tm", 25, 75, true}.compute
	}
	if m := shortForm.FindStringSubmatch(name); m != nil {
		p, err := strconv.ParseFloat(m[2], 64)
		switch {
		case err != nil || p > 100:
			return nil
		case m[1] == "p":
			return func(s *Summary) (float64, bool) { return s.Percentile(p) }
		}
		return rangeStatistic{m[1], 0, p, true}.compute
	}
	if m := rangeForm.FindStringSubmatch(name); m != nil {
		return parseRange(strings.ToLower(m[1]), m[2], m[3])
	}
	return nil
}
