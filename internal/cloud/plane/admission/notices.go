//go:build linux

package admission

import (
	"sync"
	"time"
)

// noticePeriod is the time in which a source has a bounded number of notices.
const noticePeriod = time.Minute

// Notices bounds what sources cause to be written to the log.
type Notices struct {
	burst int
	now   func() time.Time

	mu      sync.Mutex
	periods map[Source]*period
}

// period is a time in which a source had notices.
type period struct {
	start         time.Time
	given, denied int
}

// NewNotices returns notices of which each source has the given number a minute.
func NewNotices(burst int) *Notices {
	return &Notices{burst: burst, now: time.Now, periods: map[Source]*period{}}
}

// Due reports whether a notice about the source may be written now, and how many could not
// be since the last one.
func (n *Notices) Due(s Source) (denied int, due bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := n.now()
	p, ok := n.periods[s]
	switch {
	case ok && now.Sub(p.start) < noticePeriod && p.given >= n.burst:
		p.denied++
		return 0, false
	case ok && now.Sub(p.start) < noticePeriod:
		p.given++
		return 0, true
	}
	if ok {
		denied = p.denied
	}
	n.forget(now)
	n.periods[s] = &period{start: now, given: 1}
	return denied, true
}

// forget forgets sources without recent notices.
func (n *Notices) forget(now time.Time) {
	for s, p := range n.periods {
		if now.Sub(p.start) >= noticePeriod {
			delete(n.periods, s)
		}
	}
}
