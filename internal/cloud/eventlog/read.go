package eventlog

import (
	"cmp"
	"errors"
	"slices"
)

// readBudget bounds the bytes that one Read reads from files.
const readBudget = 16 << 20

// eventOverhead is what an event counts beside its message (CloudWatch Logs API Reference,
// PutLogEvents).
const eventOverhead = 26

// Query selects events.
type Query struct {
	From, Until Position // Until is exclusive
	Backward    bool     // latest first
	Limit       int      // most events of a page
	Bytes       int      // most bytes of a page, in which an event counts EventSize
	Match       func(message string) bool
}

// Found is an event of a stream.
type Found struct {
	Event
	Position
	Stream string
}

// Ingested returns when the event arrived, in milliseconds.
func (f Found) Ingested() int64 { return milliseconds(f.Sequence) }

// EventSize returns the size that a message counts with.
func EventSize(message string) int { return len(message) + eventOverhead }

// Page is a part of the selected events, in the order of the query.
type Page struct {
	Events []Found
	More   bool     // there may be more events
	Next   Position // From of the query for them, or Until of a backward one
}

// Read returns the first events of the streams that the query selects. A page may have
// fewer than the query's limit, or none, although there are more.
func (l *Log) Read(streams []string, q Query) (Page, error) {
	blocks, err := l.blocks(streams, q)
	if err != nil {
		return Page{}, err
	}
	r := reader{Query: q}
	var budget int64 = readBudget
	for _, b := range blocks {
		edge := q.edge(b.block)
		if r.full && q.compare(edge, r.found[len(r.found)-1].Position) >= 0 {
			r.cut = true
			break
		}
		if budget <= 0 {
			return r.pageTo(edge), nil
		}
		budget -= b.length
		err := b.read(func(sequence uint64, index int, e Event) {
			r.add(Found{e, Position{e.Time, sequence, index}, b.stream})
		})
		if err != nil {
			return Page{}, err
		}
		r.trim()
	}
	return r.page(), nil
}

// placed is a block of a stream.
type placed struct {
	block
	stream string
}

// blocks returns the blocks that may contain selected events, in the order of their edges.
func (l *Log) blocks(streams []string, q Query) ([]placed, error) {
	var all []placed
	for _, id := range streams {
		s, err := l.stream(id)
		if errors.Is(err, ErrNoStream) {
			continue // deleted meanwhile
		}
		if err != nil {
			return nil, err
		}
		l.mu.Lock()
		for _, segment := range s.segments {
			for _, b := range segment.blocks {
				if b.last >= q.From.Time && b.earliest <= q.Until.Time {
					all = append(all, placed{b, id})
				}
			}
		}
		l.mu.Unlock()
		s.lock.Unlock()
	}
	slices.SortStableFunc(all, func(a, b placed) int { return q.compare(q.edge(a.block), q.edge(b.block)) })
	return all, nil
}

// compare compares positions in the order of the query.
func (q Query) compare(a, b Position) int {
	if q.Backward {
		return b.Compare(a)
	}
	return a.Compare(b)
}

// edge returns the end of a block that the query reaches first.
func (q Query) edge(b block) Position {
	if q.Backward {
		return At(b.last + 1)
	}
	return At(b.earliest)
}

// reader collects the events of a page.
type reader struct {
	Query
	found []Found
	full  bool // found has as many events as a page may have
	cut   bool // some were left out
}

func (r *reader) add(f Found) {
	if f.Position.Compare(r.From) >= 0 && f.Position.Compare(r.Until) < 0 && (r.Match == nil || r.Match(f.Message)) {
		r.found = append(r.found, f)
	}
}

// trim leaves the events of the page.
func (r *reader) trim() {
	slices.SortFunc(r.found, func(a, b Found) int {
		return cmp.Or(r.compare(a.Position, b.Position), cmp.Compare(a.Stream, b.Stream))
	})
	size := 0
	for i, f := range r.found {
		size += EventSize(f.Message)
		if i == r.Limit || i > 0 && size > r.Bytes {
			r.found, r.cut, r.full = r.found[:i], true, true
			return
		}
	}
	r.full = len(r.found) == r.Limit
}

func (r *reader) page() Page {
	p := Page{Events: r.found, More: r.cut}
	if n := len(r.found); n > 0 {
		p.Next = r.beyond(r.found[n-1].Position)
	}
	return p
}

// pageTo returns the events before a position, up to which all have been read.
func (r *reader) pageTo(edge Position) Page {
	i := slices.IndexFunc(r.found, func(f Found) bool { return r.compare(r.beyond(f.Position), edge) > 0 })
	if i >= 0 {
		r.found = r.found[:i]
	}
	return Page{Events: r.found, More: true, Next: edge}
}

// beyond returns the position at which the query continues after an event.
func (r *reader) beyond(p Position) Position {
	if r.Backward {
		return p
	}
	return p.After()
}
