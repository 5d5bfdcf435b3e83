package metric

import (
	"math"
	"testing"
)

func TestPercentilesMatchTheValues(t *testing.T) {
	var s Summary
	for i := range 100 {
		s.Merge(SummaryOf(float64(i+1), 1))
	}
	for p, want := range map[float64]float64{0.5: 1, 50: 50, 90: 90, 99: 99, 99.9: 100, 100: 100} {
		if got, ok := s.Percentile(p); !ok || got != want {
			t.Errorf("p%v = %v, want %v", p, got, want)
		}
	}
	var large Summary
	for i := range 10000 {
		large.Merge(SummaryOf(float64(i)*0.001, 1))
	}
	if got, _ := large.Percentile(90); math.Abs(got-9) > 0.04 {
		t.Errorf("p90 of 10000 values = %v, want 9", got)
	}
	mixed := SummaryOf(1, 1)
	mixed.Merge(SummaryOfSet(10, 50, 1, 9))
	if _, ok := mixed.Percentile(50); ok || mixed.Count != 11 || mixed.Max != 9 {
		t.Errorf("summary with a statistic set = %+v", mixed)
	}
	if one := SummaryOfSet(4, 8, 2, 2); one.valuesUnknown {
		t.Error("the values of a set whose minimum equals its maximum are unknown")
	}
}
