// Package eventlog keeps the events of log streams in files.
//
// A stream is a folder of segments, to which batches of events are appended. A batch is on
// disk when Append returns. An index of the segments' content, which is read when a stream
// is first used, finds the events of a time without reading others.
//
// The files have a limit together. Beyond it, the oldest segments of all streams are
// deleted.
package eventlog

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"aloft.dev/aloft/internal/cloud/durable"
)

// ErrNoStream is the error for a stream that does not exist.
var ErrNoStream = errors.New("the log stream does not exist")

// Event is a log event.
type Event struct {
	Time    int64 // milliseconds since 1970 in UTC
	Message string
}

// Log is a folder of streams. Its methods may be called concurrently.
type Log struct {
	// Lost is called with the bytes at the end of a file that were unreadable and are removed: a
	// batch that a killed daemon or lost power left half written. nil: nobody is. Set it
	// before first use.
	Lost func(path string, bytes int64)

	dir   string
	limit int64 // bytes

	mu       sync.Mutex
	streams  map[string]*stream
	used     int64  // bytes of all segments
	sequence uint64 // of the latest batch
}

// stream is a stream's folder. The lock of Log protects segments; lock orders appending
// and loading, and is taken first.
type stream struct {
	dir      string
	lock     sync.Mutex
	loaded   bool
	damaged  bool // the last segment may end with a remainder
	removed  bool
	segments []*segment // oldest first
	ingested uint64     // sequence number of the latest batch
}

// Open opens the log in a folder, which is created if it does not exist. Its files take up
// to limit bytes.
func Open(dir string, limit int64) (*Log, error) {
	l := &Log{dir: dir, limit: limit, streams: map[string]*stream{}}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open the log events: %w", err)
	}
	folders, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("open the log events: %w", err)
	}
	for _, folder := range folders {
		s := &stream{dir: filepath.Join(dir, folder.Name())}
		if err := l.list(s); err != nil {
			return nil, fmt.Errorf("open the log events: %w", err)
		}
		l.streams[folder.Name()] = s
	}
	return l, nil
}

// list finds the segments of a stream.
func (l *Log) list(s *stream) error {
	files, err := os.ReadDir(s.dir)
	if err != nil {
		return err
	}
	for _, file := range files { // in the order of their names, which have equal lengths
		name, ok := strings.CutSuffix(file.Name(), suffix)
		first, err := strconv.ParseUint(name, 16, 64)
		if !ok || err != nil {
			continue
		}
		info, err := file.Info()
		if err != nil {
			return err
		}
		segment := &segment{path: filepath.Join(s.dir, file.Name()), first: first, size: info.Size()}
		s.segments = append(s.segments, segment)
		l.used += segment.used()
		l.sequence = max(l.sequence, first)
	}
	return nil
}

// Create creates a stream, which survives a loss of power.
func (l *Log) Create(id string) error {
	s := &stream{dir: filepath.Join(l.dir, id), loaded: true}
	err := os.Mkdir(s.dir, 0o700)
	if err == nil {
		err = durable.SyncFolder(l.dir)
	}
	if err != nil {
		return fmt.Errorf("create a log stream: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.streams[id] = s
	return nil
}

// Remove deletes a stream with its events.
func (l *Log) Remove(id string) error {
	l.mu.Lock()
	s, ok := l.streams[id]
	delete(l.streams, id)
	l.mu.Unlock()
	if !ok {
		return nil
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	l.mu.Lock()
	for _, segment := range s.segments {
		l.used -= segment.used()
	}
	s.removed, s.segments = true, nil
	l.mu.Unlock()
	if err := os.RemoveAll(s.dir); err != nil {
		return fmt.Errorf("delete a log stream: %w", err)
	}
	return nil
}

// Retain deletes all streams except those to keep: what a killed daemon left of others.
func (l *Log) Retain(keep func(id string) bool) error {
	l.mu.Lock()
	ids := slices.Collect(maps.Keys(l.streams))
	l.mu.Unlock()
	var problems error
	for _, id := range ids {
		if !keep(id) {
			problems = errors.Join(problems, l.Remove(id))
		}
	}
	return problems
}

// stream returns a stream with its index, locked.
func (l *Log) stream(id string) (*stream, error) {
	l.mu.Lock()
	s, ok := l.streams[id]
	l.mu.Unlock()
	if !ok {
		return nil, ErrNoStream
	}
	s.lock.Lock()
	if s.removed {
		s.lock.Unlock()
		return nil, ErrNoStream
	}
	if err := l.load(s); err != nil {
		s.lock.Unlock()
		return nil, fmt.Errorf("read the log stream in %s: %w", s.dir, err)
	}
	return s, nil
}

// load reads the index of a stream's segments. Log.mu is held only to put it in place.
func (l *Log) load(s *stream) error {
	if s.loaded {
		return nil
	}
	l.mu.Lock()
	segments := slices.Clone(s.segments)
	l.mu.Unlock()
	var read []*segment
	for _, old := range segments {
		found := &segment{path: old.path, first: old.first}
		highest, lost, err := found.load()
		if errors.Is(err, fs.ErrNotExist) {
			continue // evicted meanwhile
		}
		if err != nil {
			return err
		}
		if lost > 0 && l.Lost != nil {
			l.Lost(found.path, lost)
		}
		s.ingested = max(s.ingested, highest)
		read = append(read, found)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, found := range read {
		for _, current := range s.segments {
			if current.first == found.first {
				l.used += found.used() - current.used()
				current.size, current.blocks = found.size, found.blocks
			}
		}
	}
	l.sequence = max(l.sequence, s.ingested)
	s.loaded = true
	return nil
}

// Append adds a batch of events to a stream. The batch is on disk when Append returns.
func (l *Log) Append(id string, now time.Time, events []Event) error {
	if len(events) == 0 {
		return nil
	}
	s, err := l.stream(id)
	if err != nil {
		return err
	}
	defer s.lock.Unlock()
	sequence := l.next(now)
	data := frame(sequence, events)
	last, created, err := l.reserve(s, sequence, int64(len(data)))
	if err != nil {
		return err
	}
	err = last.write(data)
	if err == nil && created {
		err = durable.SyncFolder(s.dir)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	last.writing = false
	if err != nil {
		s.damaged = true
		return fmt.Errorf("write log events: %w", err)
	}
	if created {
		s.segments = append(s.segments, last)
	} else {
		l.used -= last.used()
	}
	last.add(int64(len(data)), events)
	l.used += last.used()
	s.ingested, s.damaged = sequence, false
	return nil
}

// next returns the sequence number of a new batch.
func (l *Log) next(now time.Time) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sequence = max(l.sequence+1, uint64(now.UnixNano()))
	return l.sequence
}

// reserve makes room for a batch, and returns the segment to write it to, which no other
// stream's batch evicts, and whether the segment is a new one.
func (l *Log) reserve(s *stream, sequence uint64, size int64) (last *segment, created bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.evict(size); err != nil {
		return nil, false, err
	}
	last, created = s.current(sequence)
	last.writing = true
	return last, created, nil
}

// current returns the segment to append to, and whether it is a new one.
func (s *stream) current(sequence uint64) (last *segment, created bool) {
	if n := len(s.segments); n > 0 && !s.damaged {
		last = s.segments[n-1]
		if last.size < segmentSize && sequence-last.first < uint64(segmentAge) {
			return last, false
		}
	}
	return &segment{path: segmentPath(s.dir, sequence), first: sequence}, true
}

// evict deletes the oldest segments if all would take more than the limit with a batch, and
// some more, so that the next batches find room.
func (l *Log) evict(size int64) error {
	if l.used+size <= l.limit {
		return nil
	}
	type place struct {
		*stream
		*segment
	}
	var all []place
	for _, s := range l.streams {
		for _, segment := range s.segments {
			if !segment.writing {
				all = append(all, place{s, segment})
			}
		}
	}
	slices.SortFunc(all, func(a, b place) int { return cmp.Compare(a.first, b.first) })
	for _, p := range all {
		if l.used+size <= l.limit-l.limit/16 {
			break
		}
		if err := l.drop(p.stream, p.segment); err != nil {
			return err
		}
	}
	return nil
}

// drop deletes a segment. Log.mu is held.
func (l *Log) drop(s *stream, old *segment) error {
	if err := os.Remove(old.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("delete old log events: %w", err)
	}
	l.used -= old.used()
	s.segments = slices.DeleteFunc(slices.Clone(s.segments), func(other *segment) bool { return other == old })
	return nil
}

// latest is how far in the future an event may be when it arrives (CloudWatch Logs API
// Reference, PutLogEvents).
const latest = 2 * time.Hour

// Expire deletes segments of a stream all of whose events are from before a time.
func (l *Log) Expire(id string, before time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	s, ok := l.streams[id]
	if !ok {
		return nil
	}
	for _, segment := range s.segments {
		if segment.writing || time.Unix(0, int64(segment.first)).Add(segmentAge+latest).After(before) {
			break
		}
		if err := l.drop(s, segment); err != nil {
			return err
		}
	}
	return nil
}

// Size returns the bytes of a stream's files.
func (l *Log) Size(id string) (bytes int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s, ok := l.streams[id]; ok {
		for _, segment := range s.segments {
			bytes += segment.size
		}
	}
	return bytes
}

// Summary describes a stream. Its times are those of events, in milliseconds, and 0 without
// any event.
type Summary struct {
	First, Last int64
	Ingested    int64 // when the latest batch arrived
}

// Summary describes a stream.
func (l *Log) Summary(id string) (Summary, error) {
	s, err := l.stream(id)
	if err != nil {
		return Summary{}, err
	}
	defer s.lock.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	var sum Summary
	for _, segment := range s.segments {
		for _, b := range segment.blocks {
			if sum.Ingested == 0 {
				sum.First, sum.Last, sum.Ingested = b.earliest, b.last, milliseconds(s.ingested)
			}
			sum.First, sum.Last = min(sum.First, b.earliest), max(sum.Last, b.last)
		}
	}
	return sum, nil
}

// milliseconds returns the time of a batch, whose sequence number is in nanoseconds.
func milliseconds(sequence uint64) int64 { return int64(sequence / uint64(time.Millisecond)) }
