package metric

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"time"

	"aloft.dev/aloft/internal/cloud/eventlog"
)

const (
	// historyStream is the stream of the eventlog whose events are encoded summaries.
	historyStream = "summaries"
	// maxHistory limits the files, in bytes. A summary takes about ten bytes, and as many
	// again for each distinct value beyond the first, so that the files hold all that a Store
	// holds.
	maxHistory = 32 << 20
	// maxSaved is how many summaries are saved together. It bounds the memory this takes.
	maxSaved = 8192
)

// History keeps summaries in files.
type History struct {
	events *eventlog.Log
	log    *slog.Logger
}

// OpenHistory opens the history in a folder, which is created if it does not exist. What it
// cannot read later is left out and logged.
func OpenHistory(dir string, log *slog.Logger) (*History, error) {
	events, err := eventlog.Open(dir, maxHistory)
	if err != nil {
		return nil, fmt.Errorf("open the metrics: %w", err)
	}
	events.Lost = func(path string, bytes int64) {
		log.Warn("the end of a file of metrics is unreadable: left out", "file", path, "bytes", bytes)
	}
	if err := events.Create(historyStream); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("open the metrics: %w", err)
	}
	return &History{events, log}, nil
}

// write appends encoded summaries, which are on disk when it returns.
func (h *History) write(now time.Time, encoded []byte) error {
	return h.events.Append(historyStream, now, []eventlog.Event{{Time: now.UnixMilli(), Message: string(encoded)}})
}

// expire deletes files all of whose summaries are older than Retention.
func (h *History) expire(now time.Time) error {
	return h.events.Expire(historyStream, now.Add(-Retention))
}

// read calls each with all that was written, the latest first, until it returns false.
func (h *History) read(each func(encoded string) (more bool)) error {
	q := eventlog.Query{Until: eventlog.End, Backward: true, Limit: 16, Bytes: 4 << 20}
	for {
		page, err := h.events.Read([]string{historyStream}, q)
		if err != nil {
			return err
		}
		for _, found := range page.Events {
			if !each(found.Message) {
				return nil
			}
		}
		if !page.More {
			return nil
		}
		q.Until = page.Next
	}
}

// load reads the latest summaries of the history. A summary that was saved repeatedly counts
// as it was last.
func (s *Store) load() {
	if s.History == nil {
		return
	}
	var d decoder
	err := s.History.read(func(encoded string) bool {
		err := d.decode(encoded, func(at place, saved Summary) {
			if p, created := s.point(at); created {
				p.Summary = saved
			}
		})
		if err != nil {
			s.History.log.Warn("some metrics are unreadable: left out", "error", err)
		}
		return s.points < maxSummaries
	})
	if err != nil {
		s.History.log.Warn("read the metrics of earlier: left out", "error", err)
	}
	if s.points > maxSummaries {
		s.dropOldest()
	}
}

// Save writes the summaries of minutes before a time that have changed since they were
// written: those of the current minute are likely to change again. What could not be written
// is tried again at the next Save. Only one Save may run at a time.
func (s *Store) Save(now, before time.Time) error { return s.save(now, minuteOf(before)) }

// SaveAll writes all summaries that have changed since they were written.
func (s *Store) SaveAll(now time.Time) error { return s.save(now, math.MaxInt64) }

// save writes the summaries of minutes before end.
func (s *Store) save(now time.Time, end int64) error {
	if s.History == nil {
		return nil
	}
	s.mu.Lock()
	pending := s.unsaved
	s.unsaved = nil
	s.mu.Unlock()
	for len(pending) > 0 {
		n := min(len(pending), maxSaved)
		encoded, places := s.encode(pending[:n], end)
		if len(places) > 0 {
			if err := s.History.write(now, encoded); err != nil {
				s.postpone(append(places, pending[n:]...))
				return fmt.Errorf("save metrics: %w", err)
			}
		}
		pending = pending[n:]
	}
	if err := s.History.expire(now); err != nil {
		return fmt.Errorf("delete old metrics: %w", err)
	}
	return nil
}

// encode encodes the points at places, except those that were deleted meanwhile and those of
// minutes from end on, which remain unsaved.
func (s *Store) encode(places []place, end int64) (encoded []byte, encodedPlaces []place) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var e encoder
	for _, at := range places {
		p := s.at(at)
		switch {
		case p == nil || !p.unsaved:
		case at.minute >= end:
			s.unsaved = append(s.unsaved, at)
		default:
			p.unsaved = false
			e.add(at, &p.Summary)
			encodedPlaces = append(encodedPlaces, at)
		}
	}
	return e.bytes(), encodedPlaces
}

// postpone leaves the points at places for the next Save.
func (s *Store) postpone(places []place) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, at := range places {
		if p := s.at(at); p != nil {
			p.unsaved = true
			s.unsaved = append(s.unsaved, at)
		}
	}
}

var errEncoding = errors.New("they are not encoded as summaries are")
