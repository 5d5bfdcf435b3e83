package metric

import (
	"cmp"
	"slices"

	"aloft.dev/aloft/internal/cloud/identity"
)

// table holds the summaries of metrics.
type table struct {
	series map[seriesKey][]*point // each sorted by time and unit
	points int
}

// point is a summary.
type point struct {
	pointKey
	Summary
	unsaved bool // its place is in Store.unsaved
}

// place is where a point is.
type place struct {
	seriesKey
	pointKey
}

type seriesKey struct {
	region identity.Region
	id     ID
}

type pointKey struct {
	minute int64 // since the Unix epoch; in a table of seconds, the second
	unit   string
}

func (k pointKey) compare(other pointKey) int {
	return cmp.Or(cmp.Compare(k.minute, other.minute), cmp.Compare(k.unit, other.unit))
}

// search returns where in sorted points a key is or belongs, and whether it is there.
func search(points []*point, key pointKey) (int, bool) {
	return slices.BinarySearchFunc(points, key, func(p *point, k pointKey) int { return p.compare(k) })
}

// since returns the points of a minute and all later ones.
func since(points []*point, minute int64) []*point {
	n, _ := search(points, pointKey{minute: minute})
	return points[n:]
}

// at returns the point at a place, or nil.
func (t *table) at(at place) *point {
	points := t.series[at.seriesKey]
	if n, ok := search(points, at.pointKey); ok {
		return points[n]
	}
	return nil
}

// point returns the point at a place, and whether it is a new one.
func (t *table) point(at place) (p *point, created bool) {
	points := t.series[at.seriesKey]
	n, ok := search(points, at.pointKey)
	if ok {
		return points[n], false
	}
	if t.series == nil {
		t.series = map[seriesKey][]*point{}
	}
	p = &point{pointKey: at.pointKey}
	t.series[at.seriesKey] = slices.Insert(points, n, p)
	t.points++
	return p, true
}

// dropOldest deletes the oldest tenth of the summaries.
func (t *table) dropOldest() {
	minutes := make([]int64, 0, t.points)
	for _, points := range t.series {
		for _, p := range points {
			minutes = append(minutes, p.minute)
		}
	}
	slices.Sort(minutes)
	t.deleteUntil(minutes[len(minutes)/10])
}

// deleteUntil deletes the summaries of the minute and all earlier ones.
func (t *table) deleteUntil(minute int64) {
	for k, points := range t.series {
		switch kept := since(points, minute+1); {
		case len(kept) == 0:
			delete(t.series, k)
			t.points -= len(points)
		case len(kept) < len(points):
			t.series[k] = slices.Clone(kept)
			t.points -= len(points) - len(kept)
		}
	}
}
