package metric_test

import (
	"math"
	"testing"

	"aloft.dev/aloft/internal/cloud/metric"
)

func TestStatisticsFollowTheGuide(t *testing.T) {
	var s metric.Summary
	for i := range 10 {
		s.Merge(metric.SummaryOf(float64(i+1), 10)) // 1 to 10, ten times each
	}
	for name, want := range map[string]float64{
		"SampleCount": 100, "Sum": 550, "Average": 5.5, "Minimum": 1, "Maximum": 10,
		"p0": 1, "p50": 5, "p90.5": 10, "p100": 10,
		"tm90": 5, "TM(10%:90%)": 5.5, "IQM": 5.5, "TM(:5)": 3, "TM(5:)": 8, "TM(2:4)": 3.5,
		"tc90": 90, "TC(5:8)": 30, "TC(90%:)": 10, "ts50": 150, "TS(8:10)": 190, "TS(80%:)": 190,
		"wm90": 5.4, "WM(20%:80%)": 5.5, "WM(:5)": 4, "PR(:5)": 50, "PR(2:4)": 20,
	} {
		statistic := metric.ParseStatistic(name)
		if statistic == nil {
			t.Errorf("ParseStatistic(%q) = nil", name)
			continue
		}
		if got, ok := statistic(&s); !ok || math.Abs(got-want) > 1e-9 {
			t.Errorf("%s = %v, want %v", name, got, want)
		}
	}
	for _, name := range []string{
		"", "sum", "p", "p101", "pp", "tm", "TM(:)", "TM(90%:10%)", "TM(1:90%)", "PR(10%:90%)", "TM(a:b)", "TM(.:5)",
	} {
		if metric.ParseStatistic(name) != nil {
			t.Errorf("ParseStatistic(%q) returned a statistic", name)
		}
	}
	set := metric.SummaryOfSet(3, 6, 1, 3)
	if _, ok := metric.ParseStatistic("tm90")(&set); ok {
		t.Error("computed the trimmed mean of a statistic set")
	}
}
