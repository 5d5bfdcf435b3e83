package ec2

import (
	"fmt"
	"sync"
	"time"

	"aloft.dev/aloft/internal/cloud/manners"
)

// The periods of the manner Room. Users report that a shortage of a common type ends
// within minutes, and that it happens now and then (Amazon EC2 User Guide, Troubleshoot
// instance launch issues: wait a few minutes and try again).
const shortageProbability = 0.2

var (
	shortageLasts = manners.Span{Min: 3 * time.Minute, Max: 10 * time.Minute}
	plentyLasts   = manners.Span{Min: 30 * time.Minute, Max: 90 * time.Minute}
)

// shortages decides when a zone has no room for a type. The time of each zone and type
// is divided into periods, the first of which begins with the first launch that asks
// for it.
type shortages struct {
	mu    sync.Mutex
	first map[string]time.Time // by zone and type
}

// asked notes that a launch asks for a type in a zone.
func (s *shortages) asked(zone, instanceType string, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.first == nil {
		s.first = map[string]time.Time{}
	}
	if key := zone + " " + instanceType; s.first[key].IsZero() {
		s.first[key] = now
	}
}

// short reports whether a zone has no room for a type at present.
func (s *shortages) short(m *manners.Set, zone, instanceType string, now time.Time) bool {
	if !m.Has(manners.Room) {
		return false
	}
	key := zone + " " + instanceType
	s.mu.Lock()
	begin, known := s.first[key]
	s.mu.Unlock()
	for n := 0; ; n++ {
		period := fmt.Sprint("room for ", key, ", period ", n)
		short, lasts := m.Holds(manners.Room, shortageProbability, period), plentyLasts
		if short {
			lasts = shortageLasts
		}
		if begin = begin.Add(m.Duration(manners.Room, lasts, period, "")); !known || now.Before(begin) {
			return short
		}
	}
}
