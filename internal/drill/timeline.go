package drill

import "time"

// timeline holds the moments of a drill as times since the load began. A moment
// that has not come is 0.
type timeline struct {
	victims       map[string]bool // IDs of the instances that the experiment hits
	healthyBefore int             // healthy targets before the failure

	injected  time.Duration
	detected  time.Duration // the first victim is no longer healthy
	out       time.Duration // no victim is healthy: no node sends them requests
	restored  time.Duration // the change is undone
	recovered time.Duration // as many targets are healthy as before
}

// observe records the moments that follow from the healthy targets at a time.
func (t *timeline) observe(at time.Duration, healthy map[string]bool) {
	if t.injected == 0 {
		return
	}
	healthyVictims := 0
	for victim := range t.victims {
		if healthy[victim] {
			healthyVictims++
		}
	}
	if healthyVictims < len(t.victims) && t.detected == 0 {
		t.detected = at
	}
	if healthyVictims == 0 && t.out == 0 {
		t.out = at
	}
	if t.detected > 0 && t.recovered == 0 && len(healthy) >= t.healthyBefore {
		t.recovered = at
	}
}

// shift adds an offset to every moment that has come.
func (t *timeline) shift(offset time.Duration) {
	for _, at := range []*time.Duration{&t.injected, &t.detected, &t.out, &t.restored, &t.recovered} {
		if *at > 0 {
			*at += offset
		}
	}
}
