package load

import (
	"math"
	"time"
)

// never is later than the end of any run.
const never = time.Duration(math.MaxInt64 / 4)

// schedule computes when requests are due: at even intervals, regardless of responses.
// Its times count from the start of the run.
type schedule struct {
	rate  float64
	base  time.Duration // when the rate took effect
	taken int           // requests taken since then
	later []change      // later rates, in order
}

type change struct {
	rate float64
	at   time.Duration
}

// next returns when the next request is due. It computes from the time at which the rate
// took effect, so that rounding errors do not accumulate.
func (s *schedule) next() time.Duration {
	for {
		at := s.at(s.taken)
		if len(s.later) == 0 || at < s.later[0].at {
			return at
		}
		s.nextRate()
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

// change sets another rate from a time on. Calls must be in the order of their times.
func (s *schedule) change(rate float64, at time.Duration) {
	s.later = append(s.later, change{rate: rate, at: at})
}

// nextRate switches to the next rate. Its first request is due a full interval of the new
// rate after the last request of the old one, but not in the past.
func (s *schedule) nextRate() {
	c := s.later[0]
	s.later = s.later[1:]
	first := c.at
	if s.taken > 0 && s.rate > 0 && c.rate > 0 {
		last := s.at(s.taken - 1)
		first = max(first, last+time.Duration(float64(time.Second)/c.rate))
	}
	s.rate, s.base, s.taken = c.rate, first, 0
}
