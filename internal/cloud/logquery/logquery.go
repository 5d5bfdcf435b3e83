// Package logquery interprets queries of CloudWatch Logs Insights over log events (Amazon CloudWatch Logs User Guide,
// "CloudWatch Logs Insights query syntax").
//
// It has the commands fields, display, filter, parse, stats, sort, limit and dedup, and the functions of the guide but
// those that read JSON from text. A query that uses anything else is refused. Time for an event is linear in its size,
// because regular expressions are Go's. What a run keeps in memory is bounded.
package logquery

import (
	"errors"
	"fmt"
	"time"
)

// MaxResults is the most results of a query, and their number without a limit (CloudWatch Logs API Reference,
// StartQuery).
const MaxResults = 10000

// Event is a log event.
type Event struct {
	Time, Ingested int64  // milliseconds since 1970
	Message        string // may be JSON, whose members are fields
	Stream, Log    string // "web/i-1", "000000000000:/aloft/shop"
	Pointer        string // identifies the event
}

// Field is a field of a result.
type Field struct{ Name, Value string }

// SyntaxError is why a query is refused.
type SyntaxError struct {
	Offset  int // in bytes
	Message string
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("%s at position %d", e.Message, e.Offset) }

// ErrTooMuch is the error of a run that would need more memory than it may have.
var ErrTooMuch = errors.New("the query keeps too much in memory")

// maxKept is how much a run may keep in memory, in bytes.
const maxKept = 64 << 20

// Query is a query. It may be run more than once.
type Query struct {
	commands []command
	columns  []column
	grouped  bool // its results are not events
}

// command is a command that passes what it makes of records on to the next sink.
type command interface {
	sink(run *Run, next sink) sink
}

// sink takes records.
type sink interface {
	add(r *record) error
	end() error
}

// Run is an execution of a query. It is not for concurrent use.
type Run struct {
	// Matched counts the events that passed the filters before the first command that is about more than one event.
	Matched int

	first    sink
	kept     int // bytes
	now      time.Time
	results  [][]Field
	limit    int
	finished bool
}

// Start starts an execution. It has at most limit results, unless the query says otherwise. Events must be added latest
// first: in this order a query without sort returns them.
func (q *Query) Start(limit int, now time.Time) *Run {
	run := &Run{now: now, limit: limit}
	var next sink = &collector{query: q, run: run}
	counted := false
	for i := len(q.commands) - 1; i >= 0; i-- {
		if _, filters := q.commands[i].(filterCommand); filters && !counted && !q.aggregates(i) {
			next, counted = &counter{run, next}, true
		}
		next = q.commands[i].sink(run, next)
	}
	if !counted {
		next = &counter{run, next}
	}
	run.first = next
	return run
}

// aggregates reports whether a command before the one at index i is about more than one event.
func (q *Query) aggregates(i int) bool {
	for _, c := range q.commands[:i] {
		switch c.(type) {
		case filterCommand, fieldsCommand, *parseCommand:
		default:
			return true
		}
	}
	return false
}

// Add adds an event.
func (r *Run) Add(e Event) error { return r.first.add(&record{event: &e, now: r.now}) }

// Results returns the results of the events that were added. No more can be added.
func (r *Run) Results() ([][]Field, error) {
	if !r.finished {
		r.finished = true
		if err := r.first.end(); err != nil {
			return nil, err
		}
	}
	return r.results, nil
}

// keep counts bytes that the run keeps, or no longer keeps.
func (r *Run) keep(bytes int) error {
	r.kept += bytes
	if r.kept > maxKept {
		return ErrTooMuch
	}
	return nil
}

// counter counts the events that match.
type counter struct {
	run  *Run
	next sink
}

func (c *counter) add(r *record) error { c.run.Matched++; return c.next.add(r) }
func (c *counter) end() error          { return c.next.end() }

// collector makes results of records.
type collector struct {
	query *Query
	run   *Run
}

func (c *collector) add(r *record) error {
	if len(c.run.results) >= c.limit() {
		return nil
	}
	var row []Field
	size := 0
	for _, column := range c.query.columns {
		if v := column.of(r); v.kind != absent {
			row = append(row, Field{column.name, v.String()})
			size += len(column.name) + len(row[len(row)-1].Value) + fieldOverhead
		}
	}
	if !c.query.grouped {
		row = append(row, Field{"@ptr", r.event.Pointer})
		size += len(r.event.Pointer) + fieldOverhead
	}
	c.run.results = append(c.run.results, row)
	return c.run.keep(size)
}

// limit returns the most results. A limit command of the query takes the place of the request's.
func (c *collector) limit() int {
	for _, command := range c.query.commands {
		if _, ok := command.(limitCommand); ok {
			return MaxResults
		}
	}
	return c.run.limit
}

func (c *collector) end() error { return nil }

// What a field and a record take in memory besides their texts, in bytes.
const (
	fieldOverhead  = 32
	recordOverhead = 160
)
