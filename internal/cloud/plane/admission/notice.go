//go:build linux

package admission

import (
	"sync"
	"time"
)

// noticeInterval is the time between two reports of the same trouble.
const noticeInterval = 10 * time.Second

// Notice keeps trouble that comes thousands of times a second from filling the log. The zero
// Notice is ready for use.
type Notice struct {
	mu    sync.Mutex
	last  time.Time // of a report
	count int       // since then
}

// Due counts an occurrence at the time. It reports whether to log it, and how many there have
// been since the last one that was logged, including this one.
func (n *Notice) Due(now time.Time) (count int, due bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.count++
	if !n.last.IsZero() && now.Sub(n.last) < noticeInterval {
		return 0, false
	}
	count, n.count, n.last = n.count, 0, now
	return count, true
}
