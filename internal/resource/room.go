package resource

import (
	"slices"
	"sync"
	"time"
)

// roomMemory is how long a zone that refused a type counts as one without capacity for
// it. Capacity returns within minutes, or not for hours.
const roomMemory = 3 * time.Minute

// pool is an instance type in a zone. AWS has capacity, or lacks it, by pool.
type pool struct{ zone, instanceType string }

// Room remembers which zones had no capacity for which instance types, so that the
// launches of one run do not all ask the same zone. The zero value remembers nothing
// yet. It may be used concurrently.
type Room struct {
	mu      sync.Mutex
	refused map[pool]time.Time
}

// refuse records that a pool had no capacity at a time.
func (r *Room) refuse(p pool, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.refused == nil {
		r.refused = map[pool]time.Time{}
	}
	r.refused[p] = now
}

// refusedLately reports whether a pool had no capacity shortly before a time.
func (r *Room) refusedLately(p pool, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	at, ok := r.refused[p]
	return ok && now.Sub(at) < roomMemory
}

// order returns launch options in the order in which they are to be tried: those whose
// pools lacked capacity lately come last, because asking them again costs little.
func (r *Room) order(options []launchOption, now time.Time) []launchOption {
	var first, last []launchOption
	for _, o := range options {
		if r.refusedLately(o.pool(), now) {
			last = append(last, o)
		} else {
			first = append(first, o)
		}
	}
	return slices.Concat(first, last)
}
