package metric

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func TestMetricsOfHighResolutionHaveSeconds(t *testing.T) {
	var s Store
	id, other := NewID("n", "fine"), NewID("n", "coarse")
	for i := range 120 {
		s.AddHighResolution("r", id, noon.Add(time.Duration(i)*time.Second), "Count", SummaryOf(1, 1))
	}
	s.Add("r", other, noon.Add(30*time.Second), "Count", SummaryOf(1, 1))
	count := func(length time.Duration, id ID) int {
		return len(s.PointsOf(length, "r", id, noon, noon.Add(time.Hour), "Count"))
	}
	got := []int{count(time.Second, id), count(time.Minute, id), count(time.Second, other)}
	if !slices.Equal(got, []int{120, 2, 1}) {
		t.Errorf("got %v seconds, minutes, and minutes of a coarse metric", got)
	}
	points := s.PointsOf(time.Second, "r", id, noon.Add(5*time.Second), noon.Add(7*time.Second), "")
	if len(points) != 2 || points[0].At != noon.Add(5*time.Second) || points[0].Sum != 1 {
		t.Errorf("got %v", points)
	}
	s.Expire(noon.Add(SecondsRetention + time.Minute))
	if seconds := count(time.Second, id); seconds != 59 {
		t.Errorf("%d seconds are left", seconds)
	}
	s.Expire(noon.Add(SecondsRetention + time.Hour))
	if points := count(time.Second, id); points != 2 {
		t.Errorf("got %d points once only minutes are left", points)
	}
	for i := range maxSeconds + 1 {
		s.AddHighResolution("r", id, noon.Add(time.Duration(i)*time.Second), "Count", SummaryOf(1, 1))
	}
	if s.seconds.points > maxSeconds {
		t.Errorf("the store holds %d seconds", s.seconds.points)
	}
}

func TestStoreSummarizesEachMinuteAlone(t *testing.T) {
	var s Store
	id := NewID("Own", "Size", Dimension{"B", "2"}, Dimension{"A", "1"})
	if id != NewID("Own", "Size", Dimension{"A", "1"}, Dimension{"B", "2"}) ||
		!slices.Equal(id.Dimensions(), []Dimension{{"A", "1"}, {"B", "2"}}) {
		t.Errorf("IDs depend on the order of dimensions: %v", id.Dimensions())
	}
	s.Add("r", id, noon, "Count", SummaryOf(3, 2))
	s.Add("r", id, noon.Add(59*time.Second), "Count", SummaryOf(1, 1))
	s.Add("r", id, noon.Add(59*time.Second), "Bytes", SummaryOf(8, 1))
	s.Add("r", id, noon.Add(time.Minute), "Count", SummaryOf(5, 1))
	s.Add("other", id, noon, "Count", SummaryOf(9, 1))
	points := s.Points("r", id, noon, noon.Add(2*time.Minute), "Count")
	if len(points) != 2 || points[0].Sum != 7 || points[0].Count != 3 || points[0].Min != 1 || points[0].Max != 3 ||
		points[1].At != noon.Add(time.Minute) {
		t.Errorf("points = %+v", points)
	}
	if n := len(s.Points("r", id, noon, noon.Add(time.Minute), "")); n != 2 {
		t.Errorf("got %d units in a minute, want 2", n)
	}
	if ids := s.List("r", noon.Add(2*time.Minute)); len(ids) > 0 {
		t.Errorf("listed metrics without recent data: %v", ids)
	}
	s.Expire(noon.Add(Retention + time.Second))
	if left := s.Points("r", id, noon, noon.Add(time.Hour), ""); len(left) != 1 || left[0].At != noon.Add(time.Minute) {
		t.Errorf("after the first minute expired: %+v", left)
	}
}

func TestStoreIsBounded(t *testing.T) {
	var s Store
	id := NewID("Own", "Size")
	for i := range maxSummaries + 1 {
		s.Add("r", id, noon.Add(time.Duration(i)*time.Minute), "Count", SummaryOf(1, 1))
	}
	if s.points > maxSummaries || s.points < maxSummaries*8/10 {
		t.Errorf("store holds %d points", s.points)
	}
	last := noon.Add(maxSummaries * time.Minute)
	if len(s.Points("r", id, last, last.Add(time.Minute), "")) != 1 ||
		len(s.Points("r", id, noon, noon.Add(time.Minute), "")) != 0 {
		t.Error("the store did not drop its oldest points")
	}
}

func TestLateSummariesCanBeReadLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := Store{Late: func() time.Duration { return 70 * time.Second }}
		id, begin := NewID("shop", "orders"), time.Now().Truncate(time.Minute)
		s.Add("r", id, begin, "Count", SummaryOf(1, 1))
		time.Sleep(time.Until(begin.Add(130*time.Second - 1)))
		if points := s.Points("r", id, begin, time.Now(), ""); len(points) != 0 {
			t.Errorf("less than 70 s after the minute ended: %v", points)
		}
		time.Sleep(time.Nanosecond)
		if points := s.Points("r", id, begin, time.Now(), ""); len(points) != 1 {
			t.Errorf("70 s after the minute ended: %v", points)
		}
	})
}
