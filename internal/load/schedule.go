package load

import (
	"math"
	"time"
)

// never is later than any run lasts.
const never = time.Duration(math.MaxInt64 / 4)

// schedule says when requests are due: evenly, and whatever became of those
// before. Its times count from the start of the run.
type schedule struct {
	rate  float64
	base  time.Duration // when the rate began to hold
	taken int           // requests taken since then
	later []change      // in the order of their times
}

type change struct {
	rate float64
	at   time.Duration
}

// next is when the next request is due. It is computed from the beginning of
// the rate, so that rounding does not add up.
func (s *schedule) next() time.Duration {
	for {
		at := s.at(s.taken)
		if len(s.later) == 0 || at < s.later[0].at {
			return at
		}
		s.turn()
	}
}

func (s *schedule) at(n int) time.Duration {
	if s.rate <= 0 {
		return never
	}
	at := float64(s.base) + float64(n)/s.rate*float64(time.Second)
	if at > float64(never) {
		return never
	}
	return time.Duration(math.Round(at))
}

// take counts the next request as sent.
func (s *schedule) take() { s.taken++ }

// change lets another rate hold from an instant on. Changes come in the order
// of their instants.
func (s *schedule) change(rate float64, at time.Duration) {
	s.later = append(s.later, change{rate: rate, at: at})
}

// turn goes on to the next rate. Its first request comes a whole one of its own
// intervals after the last one before, but not in the past.
func (s *schedule) turn() {
	c := s.later[0]
	s.later = s.later[1:]
	first := c.at
	if s.taken > 0 && s.rate > 0 && c.rate > 0 {
		last := s.at(s.taken - 1)
		first = max(first, last+time.Duration(float64(time.Second)/c.rate))
	}
	s.rate, s.base, s.taken = c.rate, first, 0
}
