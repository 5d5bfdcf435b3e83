package drill

import (
	"testing"
	"time"
)

func TestTimelineFollowsTheHealthOfTheTargets(t *testing.T) {
	line := timeline{victims: map[string]bool{"i-1": true, "i-2": true}, healthyBefore: 3}
	all := map[string]bool{"i-1": true, "i-2": true, "i-3": true}
	line.observe(1*time.Second, map[string]bool{"i-3": true})
	if line.detected != 0 {
		t.Error("a failure was detected before it was injected")
	}
	line.injected = 2 * time.Second
	line.observe(3*time.Second, all)
	line.observe(4*time.Second, map[string]bool{"i-2": true, "i-3": true})
	line.observe(5*time.Second, map[string]bool{"i-3": true})
	line.observe(6*time.Second, map[string]bool{"i-3": true, "i-4": true})
	line.restored = 7 * time.Second
	line.observe(8*time.Second, map[string]bool{"i-1": true, "i-3": true, "i-4": true}) // i-4 replaces i-2
	line.observe(9*time.Second, all)
	want := [...]time.Duration{2 * time.Second, 4 * time.Second, 5 * time.Second, 7 * time.Second, 8 * time.Second}
	got := [...]time.Duration{line.injected, line.detected, line.out, line.restored, line.recovered}
	if got != want {
		t.Errorf("got injected, detected, out, restored, recovered at %v, want %v", got, want)
	}
}

func TestTimelineShiftsOnlyMomentsThatHaveCome(t *testing.T) {
	line := timeline{injected: time.Second, restored: 3 * time.Second}
	line.shift(500 * time.Millisecond)
	if line.injected != 1500*time.Millisecond || line.restored != 3500*time.Millisecond || line.detected != 0 {
		t.Errorf("got %+v", line)
	}
}
