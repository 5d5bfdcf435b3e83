// Package manners decides where the local cloud behaves as AWS does on an
// ordinary day: slowly, consistent only in the end, short of room, and throttled.
// Without manners the local cloud is kind: instant, consistent and unlimited.
//
// A manner only decides; the packages that serve requests and run machines ask
// for its decision and carry it out. All decisions follow from a seed: the same
// seed and the same order of requests lead to the same decisions.
package manners

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"strings"
	"sync"
	"time"
)

// Manner is one way in which AWS differs from a kind cloud.
type Manner string

// The manners.
const (
	Consistency Manner = "consistency" // reads that lag behind writes
	Times       Manner = "times"       // resources that take their time to be created and deleted
	Zones       Manner = "zones"       // zones of which some lack instance types
	Room        Manner = "room"        // zones without capacity for a type, for a while
	Load        Manner = "load"        // throttling, server errors and lost answers
	Limits      Manner = "limits"      // the default quotas of a new account
	Machines    Manner = "machines"    // what runs in machines besides the application
)

// All returns all manners.
func All() []Manner { return []Manner{Consistency, Times, Zones, Room, Load, Limits, Machines} }

// Settings say which manners a local cloud has. The zero value is a kind cloud.
type Settings struct {
	Manners []Manner `json:"on"`
	Seed    uint64   `json:"seed"`
	// TimeScale multiplies every duration: 1 or 0 means AWS's own, 0.1 a tenth
	// of it.
	TimeScale float64 `json:"time_scale"`
}

// Default returns the settings of a local cloud that was not told any: a kind
// cloud, and AWS's own speed once it has manners.
func Default() Settings { return Settings{Manners: []Manner{}, Seed: 1, TimeScale: 1} }

// Equal reports whether two settings have the same manners, seed and time scale.
func (s Settings) Equal(other Settings) bool {
	return slices.Equal(s.Manners, other.Manners) && s.Seed == other.Seed && s.TimeScale == other.TimeScale
}

// Parse returns the manners that a text names: "aws" for all, "kind" for none, or
// a list such as "times,load".
func Parse(text string) ([]Manner, error) {
	switch text {
	case "aws":
		return All(), nil
	case "kind":
		return []Manner{}, nil
	}
	list := []Manner{}
	for name := range strings.SplitSeq(text, ",") {
		m := Manner(strings.TrimSpace(name))
		if !slices.Contains(All(), m) {
			return nil, fmt.Errorf("the manner %q is unknown", strings.TrimSpace(name))
		}
		if !slices.Contains(list, m) {
			list = append(list, m)
		}
	}
	return list, nil
}

// Span is a range of durations at AWS's own speed.
type Span struct{ Min, Max time.Duration }

// Set holds the manners of a running cloud and makes their decisions. The zero
// value and a nil Set are kind. A Set is safe for concurrent use.
type Set struct {
	mu       sync.Mutex
	settings Settings
	seen     map[string]map[string]uint64 // by subject and name: the how manyth name of the subject it is
	calls    map[string]uint64            // by subject: how often Happens was asked
}

// Use replaces the settings. Decisions start from the seed again.
func (s *Set) Use(settings Settings) {
	s.mu.Lock()
	defer s.mu.Unlock()
	settings.Manners = slices.Clone(settings.Manners)
	settings.TimeScale = cmp.Or(settings.TimeScale, 1)
	s.settings, s.seen, s.calls = settings, map[string]map[string]uint64{}, map[string]uint64{}
}

// Settings returns the settings in use.
func (s *Set) Settings() Settings {
	if s == nil {
		return Settings{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	settings := s.settings
	settings.Manners = slices.Clone(settings.Manners)
	return settings
}

// Has reports whether the cloud has a manner.
func (s *Set) Has(m Manner) bool {
	if s == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.has(m)
}

func (s *Set) has(m Manner) bool { return slices.Contains(s.settings.Manners, m) }

// Duration returns how long something takes, or 0 if the cloud lacks the manner.
// subject says what it is, such as "create load balancer", and name which one, such
// as an id. The same name has the same duration until Use is called. Durations
// depend on the order in which the names of a subject appear, not on the names,
// because ids are random.
func (s *Set) Duration(m Manner, span Span, subject, name string) time.Duration {
	if s == nil {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.has(m) {
		return 0
	}
	return s.scaled(span, s.fraction(subject, s.ordinal(subject, name)))
}

// scaled returns the duration at a fraction of a span, in the cloud's time.
func (s *Set) scaled(span Span, fraction float64) time.Duration {
	drawn := float64(span.Min) + float64(span.Max-span.Min)*fraction
	return time.Duration(math.Round(drawn * s.settings.TimeScale))
}

// Sample returns a duration from a span in the cloud's time, drawn anew at each call
// for the subject. It is 0 if the cloud lacks the manner.
func (s *Set) Sample(m Manner, span Span, subject string) time.Duration {
	if s == nil {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.has(m) {
		return 0
	}
	s.calls[subject]++
	return s.scaled(span, s.fraction(subject, s.calls[subject]))
}

// Scaled returns a duration in the cloud's time, or 0 if the cloud lacks the manner.
func (s *Set) Scaled(m Manner, d time.Duration) time.Duration {
	return s.Duration(m, Span{Min: d, Max: d}, "", "")
}

// Happens reports whether an event with the given probability happens at this
// call for the subject. It never does if the cloud lacks the manner.
func (s *Set) Happens(m Manner, probability float64, subject string) bool {
	if s == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.has(m) {
		return false
	}
	s.calls[subject]++
	return s.fraction(subject, s.calls[subject]) < probability
}

// Holds reports whether something with the given probability is true of a fixed
// subject, such as that a zone lacks a type. The answer depends on the seed alone.
func (s *Set) Holds(m Manner, probability float64, subject string) bool {
	if s == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.has(m) && s.fraction(subject, 0) < probability
}

// ordinal returns how many names of the subject appeared up to this one.
func (s *Set) ordinal(subject, name string) uint64 {
	names := s.seen[subject]
	if names == nil {
		names = map[string]uint64{}
		s.seen[subject] = names
	}
	if _, ok := names[name]; !ok {
		names[name] = uint64(len(names)) + 1
	}
	return names[name]
}

// fraction returns a number in [0, 1) that follows from the seed, the subject and n.
func (s *Set) fraction(subject string, n uint64) float64 {
	h := fnv.New64a()
	var buf [16]byte
	binary.BigEndian.PutUint64(buf[:8], s.settings.Seed)
	binary.BigEndian.PutUint64(buf[8:], n)
	_, _ = h.Write(buf[:])
	_, _ = h.Write([]byte(subject))
	return float64(mix(h.Sum64())>>11) / (1 << 53)
}

// mix spreads similar inputs over all bits (the finalizer of SplitMix64).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
