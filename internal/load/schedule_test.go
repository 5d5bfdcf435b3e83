package load

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// upTo takes all requests that are due until a time.
func (s *schedule) upTo(now time.Duration) (due []time.Duration) {
	for at := s.next(); at <= now; at = s.next() {
		s.take()
		due = append(due, at)
	}
	return due
}

func TestRateDoesNotDrift(t *testing.T) {
	s := schedule{rate: 3}
	due := s.upTo(10 * time.Hour)
	if want := 10*3600*3 + 1; len(due) != want || due[want-1] != 10*time.Hour {
		t.Errorf("%d requests, the last at %v; want %d", len(due), due[len(due)-1], want)
	}
}

func TestRateChangeNeitherCatchesUpNorPauses(t *testing.T) {
	s := schedule{rate: 0.1} // due at 0 and 10 s
	first := s.upTo(5 * time.Second)
	s.change(100, 5*time.Second)
	s.change(0, 6*time.Second)
	s.change(1, 20*time.Second)
	due := s.upTo(22 * time.Second)
	if len(first) != 1 || len(due) != 100+3 || due[0] != 5*time.Second || due[99] != 5990*time.Millisecond ||
		due[100] != 20*time.Second {
		t.Errorf("%v, then %d: %v", first, len(due), due)
	}
}

func TestScheduleIsOrderedAndFollowsTheRate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rates := rapid.SliceOfN(rapid.Float64Range(0.5, 2000), 1, 6).Draw(t, "rates")
		s := schedule{rate: rates[0]}
		end := 3 * time.Second * time.Duration(len(rates))
		for i, r := range rates[1:] {
			s.change(r, 3*time.Second*time.Duration(i+1))
		}
		// A late generator gets the same schedule.
		var due []time.Duration
		late := func() time.Duration {
			return time.Duration(rapid.Int64Range(1, int64(2*time.Second)).Draw(t, "late"))
		}
		for now := time.Duration(0); now < end; now += late() {
			due = append(due, s.upTo(min(now, end-1))...)
		}
		due = append(due, s.upTo(end-1)...)
		want := 0.0
		for _, r := range rates {
			want += 3 * r
		}
		if got := float64(len(due)); got < want-float64(2*len(rates)) || got > want+float64(2*len(rates)) {
			t.Fatalf("%v requests at %v, want about %v", got, rates, want)
		}
		for i := 1; i < len(due); i++ {
			if due[i] < due[i-1] {
				t.Fatalf("%v is after %v", due[i], due[i-1])
			}
		}
	})
}
