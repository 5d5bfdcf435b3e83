package report

import (
	"cmp"
	"slices"
	"time"

	"aloft.dev/aloft/internal/load"
)

// targets counts the successful requests of each server per second.
func targets(r load.Recording) []Target {
	seconds := lasts(r)
	by := map[string]*Target{}
	for _, s := range r.Samples {
		if s.Kind != load.OK || s.Target == "" {
			continue
		}
		t := by[s.Target]
		if t == nil {
			t = &Target{Name: s.Target, PerSecond: make([]int, seconds)}
			by[s.Target] = t
		}
		t.Requests++
		t.PerSecond[int(s.At/time.Second)]++
	}
	out := []Target{}
	for _, t := range by {
		out = append(out, *t)
	}
	slices.SortFunc(out, func(a, b Target) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// lasts returns the number of seconds of a recording, rounded up.
func lasts(r load.Recording) int {
	if len(r.Samples) == 0 {
		return 0
	}
	return int(r.Samples[len(r.Samples)-1].At/time.Second) + 1
}
