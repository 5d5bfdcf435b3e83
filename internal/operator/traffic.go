package operator

import (
	"fmt"
	"strings"
	"time"

	"aloft.dev/aloft/internal/load"
)

// shownSeconds is how many seconds of a drill's load are drawn.
const shownSeconds = 120

// traffic is the load of a drill so far.
type traffic struct {
	Sent, Failed int
	ByKind       []kindCount
	Columns      []column // of the latest seconds
	Highest      int      // requests in a second
}

// kindCount is how many requests failed in one way.
type kindCount struct {
	Kind  load.Kind
	Count int
}

// column is one second.
type column struct{ Second, OK, Failed int }

// newTraffic summarizes a recording.
func newTraffic(r load.Recording) *traffic {
	t := &traffic{Sent: len(r.Samples)}
	seconds := 0
	if t.Sent > 0 {
		seconds = int(r.Samples[t.Sent-1].At/time.Second) + 1
	}
	first := max(0, seconds-shownSeconds)
	t.Columns = make([]column, seconds-first)
	for i := range t.Columns {
		t.Columns[i].Second = first + i
	}
	kinds := map[load.Kind]int{}
	for _, s := range r.Samples {
		i := int(s.At/time.Second) - first
		if s.Kind != load.OK {
			t.Failed++
			kinds[s.Kind]++
		}
		switch {
		case i < 0 || i >= len(t.Columns):
		case s.Kind == load.OK:
			t.Columns[i].OK++
		default:
			t.Columns[i].Failed++
		}
	}
	for _, kind := range load.Kinds {
		if kinds[kind] > 0 {
			t.ByKind = append(t.ByKind, kindCount{kind, kinds[kind]})
		}
	}
	for _, c := range t.Columns {
		t.Highest = max(t.Highest, c.OK+c.Failed)
	}
	return t
}

// OKPath and FailedPath draw the columns into a box of 480 × 100 units.
func (t *traffic) OKPath() string { return t.path(func(c column) (from, to int) { return 0, c.OK }) }

// FailedPath draws the failed requests above the others.
func (t *traffic) FailedPath() string {
	return t.path(func(c column) (from, to int) { return c.OK, c.OK + c.Failed })
}

// path returns an SVG path of rectangles, one for each column.
func (t *traffic) path(of func(column) (from, to int)) string {
	const width, height = 480.0 / shownSeconds, 100.0
	var out strings.Builder
	for i, c := range t.Columns {
		from, to := of(c)
		if to == from {
			continue
		}
		each := height / float64(t.Highest)
		fmt.Fprintf(&out, "M%.1f %.1fh%.1fv%.1fh-%.1fz", float64(i)*width, height-float64(from)*each, width-0.5,
			-float64(to-from)*each, width-0.5)
	}
	return out.String()
}
