package drill

import (
	"math"
	"testing"
	"time"

	"aloft.dev/aloft/internal/load"
)

func TestMissedCountsFailedSlowAndMissingRequests(t *testing.T) {
	var r load.Recording
	for i := range 100 { // ten requests per second for ten seconds
		s := load.Sample{At: time.Duration(i) * 100 * time.Millisecond, Latency: 10 * time.Millisecond, Kind: load.OK}
		switch {
		case i == 20:
			s.Kind = load.Timeout
		case i == 21:
			s.Latency = goodLatency + time.Millisecond
		case i >= 50 && i < 60:
			continue // in flight
		}
		r.Samples = append(r.Samples, s)
	}
	for _, test := range []struct {
		from, to time.Duration
		want     float64
	}{
		{0, 2 * time.Second, 0},
		{2 * time.Second, 4 * time.Second, 0.1},
		{5 * time.Second, 6 * time.Second, 1},
		{5 * time.Second, 10 * time.Second, 0.2},
		{3 * time.Second, 3 * time.Second, 0},
	} {
		if got := missed(r, test.from, test.to, 10); math.Abs(got-test.want) > 1e-9 {
			t.Errorf("from %v to %v: got %v, want %v", test.from, test.to, got, test.want)
		}
	}
}
