package metric

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// Retention is for how long a minute's summary is kept at most, as in
// CloudWatch (Amazon CloudWatch User Guide, Metrics retention: 60 seconds are
// available for 15 days). CloudWatch goes on with coarser summaries after that;
// there are none here.
const Retention = 15 * 24 * time.Hour

// maxSummaries is how many summaries are kept; the oldest make way for new ones. A
// load balancer in three zones with one target group has about a hundred
// metrics while requests come, and an instance has six of its own, so that this
// is most of a day of it.
const maxSummaries = 200_000

// Point is what was measured in one minute in one unit.
type Point struct {
	At   time.Time // the minute's beginning
	Unit string
	Summary
}

// Store holds the metrics of all regions. The zero value is ready.
type Store struct {
	mu     sync.Mutex
	series map[seriesKey]map[pointKey]*Summary
	points int
}

type seriesKey struct {
	region string
	id     ID
}

type pointKey struct {
	minute int64 // since 1970
	unit   string
}

// Add merges what was measured into its minute.
func (s *Store) Add(region string, id ID, at time.Time, unit string, measured Summary) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.series == nil {
		s.series = map[seriesKey]map[pointKey]*Summary{}
	}
	k := seriesKey{region, id}
	if s.series[k] == nil {
		s.series[k] = map[pointKey]*Summary{}
	}
	p := pointKey{at.Unix() / int64(Resolution/time.Second), unit}
	sum := s.series[k][p]
	if sum == nil {
		sum = &Summary{}
		s.series[k][p] = sum
		if s.points++; s.points > maxSummaries {
			s.dropOldest()
		}
	}
	sum.Merge(measured)
}

// dropOldest forgets the oldest tenth.
func (s *Store) dropOldest() {
	minutes := make([]int64, 0, s.points)
	for _, points := range s.series {
		for p := range points {
			minutes = append(minutes, p.minute)
		}
	}
	slices.Sort(minutes)
	s.deleteUntil(minutes[len(minutes)/10])
}

// deleteUntil removes what was measured before the minute, or in it.
func (s *Store) deleteUntil(until int64) {
	for k, points := range s.series {
		for p := range points {
			if p.minute <= until {
				delete(points, p)
				s.points--
			}
		}
		if len(points) == 0 {
			delete(s.series, k)
		}
	}
}

// Expire forgets what is older than Retention.
func (s *Store) Expire(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deleteUntil(now.Add(-Retention).Unix() / 60)
}

// List returns the region's metrics that have been measured since then, sorted.
func (s *Store) List(region string, since time.Time) []ID {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []ID
	first := since.Unix() / 60
	for k, points := range s.series {
		if k.region != region {
			continue
		}
		for p := range points {
			if p.minute >= first {
				out = append(out, k.id)
				break
			}
		}
	}
	slices.SortFunc(out, compareIDs)
	return out
}

// Points returns what was measured from one time to before another, sorted by
// time and unit. unit may be empty: all.
func (s *Store) Points(region string, id ID, from, to time.Time, unit string) []Point {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Point
	for p, sum := range s.series[seriesKey{region, id}] {
		at := time.Unix(p.minute*60, 0).UTC()
		if at.Before(from) || !at.Before(to) || unit != "" && p.unit != unit {
			continue
		}
		out = append(out, Point{at, p.unit, sum.clone()})
	}
	slices.SortFunc(out, func(a, b Point) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Unit, b.Unit)) })
	return out
}
