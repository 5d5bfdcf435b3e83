package metric

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
)

// Retention is the longest time for which a summary is kept, as in CloudWatch
// (Amazon CloudWatch User Guide, Metrics retention: 60 seconds are available for
// 15 days). CloudWatch keeps coarser summaries after that; this package does not.
const Retention = 15 * 24 * time.Hour

// maxSummaries limits the summaries that a Store keeps. New ones replace the
// oldest. It is enough for most of a day: a load balancer in three zones with one
// target group has about a hundred metrics while it receives requests, and an
// instance has six.
const maxSummaries = 200_000

// Point summarizes what was measured in one minute and one unit.
type Point struct {
	At   time.Time // start of the minute
	Unit string
	Summary
}

// Store holds the metrics of all Regions. The zero value is ready to use.
type Store struct {
	// Late returns how long after the end of its minute a summary can be read; nil:
	// summaries can be read at once, even within their minute. Set it before first use.
	Late func() time.Duration
	// History keeps the summaries beyond the end of the process; nil: nothing does. They are
	// read when the Store is first used. Set it before that.
	History *History

	mu      sync.Mutex
	loaded  bool                   // History has been read
	series  map[seriesKey][]*point // each sorted by minute and unit
	points  int
	unsaved []place // of the summaries that have changed since they were saved
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
	minute int64 // since the Unix epoch
	unit   string
}

func (k pointKey) compare(other pointKey) int {
	return cmp.Or(cmp.Compare(k.minute, other.minute), cmp.Compare(k.unit, other.unit))
}

// Add merges measured into the summary of the minute that contains a time.
func (s *Store) Add(region identity.Region, id ID, when time.Time, unit string, measured Summary) {
	s.lock()
	defer s.mu.Unlock()
	at := place{seriesKey{region, id}, pointKey{minuteOf(when), unit}}
	p, created := s.point(at)
	p.Merge(measured)
	if s.History != nil && !p.unsaved {
		p.unsaved = true
		s.unsaved = append(s.unsaved, at)
	}
	if created && s.points > maxSummaries {
		s.dropOldest()
	}
}

// lock locks the store, whose history has been read then.
func (s *Store) lock() {
	s.mu.Lock()
	if !s.loaded {
		s.loaded = true
		s.load()
	}
}

// minuteOf returns the minute that contains a time, since the Unix epoch.
func minuteOf(at time.Time) int64 { return at.Unix() / int64(Resolution/time.Second) }

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
func (s *Store) at(at place) *point {
	points := s.series[at.seriesKey]
	if n, ok := search(points, at.pointKey); ok {
		return points[n]
	}
	return nil
}

// point returns the point at a place, and whether it is a new one.
func (s *Store) point(at place) (p *point, created bool) {
	points := s.series[at.seriesKey]
	n, ok := search(points, at.pointKey)
	if ok {
		return points[n], false
	}
	if s.series == nil {
		s.series = map[seriesKey][]*point{}
	}
	p = &point{pointKey: at.pointKey}
	s.series[at.seriesKey] = slices.Insert(points, n, p)
	s.points++
	return p, true
}

// dropOldest deletes the oldest tenth of the summaries.
func (s *Store) dropOldest() {
	minutes := make([]int64, 0, s.points)
	for _, points := range s.series {
		for _, p := range points {
			minutes = append(minutes, p.minute)
		}
	}
	slices.Sort(minutes)
	s.deleteUntil(minutes[len(minutes)/10])
}

// deleteUntil deletes the summaries of the minute and all earlier ones.
func (s *Store) deleteUntil(minute int64) {
	for k, points := range s.series {
		switch kept := since(points, minute+1); {
		case len(kept) == 0:
			delete(s.series, k)
			s.points -= len(points)
		case len(kept) < len(points):
			s.series[k] = slices.Clone(kept)
			s.points -= len(points) - len(kept)
		}
	}
}

// Expire deletes what is older than Retention.
func (s *Store) Expire(now time.Time) {
	s.lock()
	defer s.mu.Unlock()
	s.deleteUntil(minuteOf(now.Add(-Retention)))
}

// List returns the Region's metrics with data since the given time, sorted.
func (s *Store) List(region identity.Region, from time.Time) []ID {
	s.lock()
	defer s.mu.Unlock()
	var out []ID
	first := minuteOf(from)
	for k, points := range s.series {
		if k.region == region && len(since(points, first)) > 0 {
			out = append(out, k.id)
		}
	}
	slices.SortFunc(out, compareIDs)
	return out
}

// Points returns a metric's summaries from one time until just before another,
// sorted by time and unit. An empty unit matches all units.
func (s *Store) Points(region identity.Region, id ID, from, to time.Time, unit string) []Point {
	to = s.Readable(to)
	s.lock()
	defer s.mu.Unlock()
	var out []Point
	for _, p := range since(s.series[seriesKey{region, id}], minuteOf(from)) {
		at := time.Unix(p.minute*60, 0).UTC()
		if at.Before(from) || !at.Before(to) || unit != "" && p.unit != unit {
			continue
		}
		out = append(out, Point{at, p.unit, p.clone()})
	}
	return out
}

// Readable returns the end of the summaries before to that can be read now.
func (s *Store) Readable(to time.Time) time.Time {
	if s.Late == nil {
		return to
	}
	late := s.Late()
	if end := time.Now().Add(-late).Truncate(Resolution); late > 0 && end.Before(to) {
		return end
	}
	return to
}
