package metric

import (
	"math"
	"testing"
)

func TestPercentilesAreThoseOfTheValues(t *testing.T) {
	var s Summary
	for i := range 100 {
		s.Merge(SummaryOf(float64(i+1), 1))
	}
	for p, want := range map[float64]float64{0.5: 1, 50: 50, 90: 90, 99: 99, 99.9: 100, 100: 100} {
		if got, ok := s.Percentile(p); !ok || got != want {
			t.Errorf("p%v is %v", p, got)
		}
	}
	var large Summary
	for i := range 10000 {
		large.Merge(SummaryOf(float64(i)*0.001, 1))
	}
	if got, _ := large.Percentile(90); math.Abs(got-9) > 0.04 {
		t.Errorf("p90 of many is %v", got)
	}
	blind := SummaryOf(1, 1)
	blind.Merge(SummaryOfSet(10, 50, 1, 9))
	if _, ok := blind.Percentile(50); ok || blind.Count != 11 || blind.Max != 9 {
		t.Errorf("%+v", blind)
	}
	if one := SummaryOfSet(4, 8, 2, 2); one.valuesUnknown {
		t.Error("four times the same value is known")
	}
}
