package metric

import (
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

// SecondsRetention is how long summaries of seconds are kept (Amazon CloudWatch User Guide, Metrics retention: periods
// of less than 60 seconds are available for 3 hours). They end with the process.
const SecondsRetention = 3 * time.Hour

// maxSeconds limits the summaries of seconds that a Store keeps.
const maxSeconds = 100_000

// Point summarizes what was measured in one minute and one unit, or in one second.
type Point struct {
	At   time.Time // start of the minute or the second
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
	loaded  bool    // History has been read
	table           // of minutes
	unsaved []place // of the summaries that have changed since they were saved
	seconds table   // of metrics of high resolution
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

// AddHighResolution is like Add for a metric whose values are kept by the second, too.
func (s *Store) AddHighResolution(region identity.Region, id ID, when time.Time, unit string, measured Summary) {
	s.Add(region, id, when, unit, measured)
	s.lock()
	defer s.mu.Unlock()
	p, created := s.seconds.point(place{seriesKey{region, id}, pointKey{when.Unix(), unit}})
	p.Merge(measured)
	if created && s.seconds.points > maxSeconds {
		s.seconds.dropOldest()
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

// Expire deletes what is older than Retention, and summaries of seconds that are older than SecondsRetention.
func (s *Store) Expire(now time.Time) {
	s.lock()
	defer s.mu.Unlock()
	s.deleteUntil(minuteOf(now.Add(-Retention)))
	s.seconds.deleteUntil(now.Add(-SecondsRetention).Unix())
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
	return s.PointsOf(Resolution, region, id, from, to, unit)
}

// PointsOf is like Points for periods of a length. For those below Resolution it returns summaries of seconds, if the
// metric has any: others are not of high resolution.
func (s *Store) PointsOf(
	length time.Duration, region identity.Region, id ID, from, to time.Time, unit string,
) []Point {
	to = s.Readable(to)
	s.lock()
	defer s.mu.Unlock()
	points, step := s.series[seriesKey{region, id}], Resolution
	if fine := s.seconds.series[seriesKey{region, id}]; length < Resolution && len(fine) > 0 {
		points, step = fine, time.Second
	}
	var out []Point
	for _, p := range since(points, from.Unix()/int64(step/time.Second)) {
		at := time.Unix(p.minute*int64(step/time.Second), 0).UTC()
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
