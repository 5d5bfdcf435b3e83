package eventlog

import (
	"cmp"
	"fmt"
	"math"
)

// Position is a place among the events of a log, which are in the order of their times,
// then of the batches they arrived in. It is just before the event that it describes.
type Position struct {
	Time     int64 // milliseconds
	Sequence uint64
	Index    int // in the batch
}

// At returns the position before all events of a time in milliseconds.
func At(milliseconds int64) Position { return Position{Time: milliseconds} }

// End is the position after all events.
var End = At(math.MaxInt64)

// Compare returns a number below 0 if p comes before q, 0 if they are equal, and otherwise
// a number above 0.
func (p Position) Compare(q Position) int {
	return cmp.Or(cmp.Compare(p.Time, q.Time), cmp.Compare(p.Sequence, q.Sequence), cmp.Compare(p.Index, q.Index))
}

// After returns the position just after the event at p.
func (p Position) After() Position {
	p.Index++
	return p
}

// String returns the position as text, which ParsePosition reads.
func (p Position) String() string { return fmt.Sprintf("%d.%d.%d", p.Time, p.Sequence, p.Index) }

// ParsePosition reads the text of a position.
func ParsePosition(text string) (p Position, ok bool) {
	_, err := fmt.Sscanf(text, "%d.%d.%d", &p.Time, &p.Sequence, &p.Index)
	return p, err == nil && p.String() == text
}

// ID returns the event at p as an id: digits whose order is that of positions.
func (p Position) ID() string { return fmt.Sprintf("%020d%020d%016d", p.Time, p.Sequence, p.Index) }
