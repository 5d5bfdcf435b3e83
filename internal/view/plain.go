package view

import (
	"encoding/json"
	"fmt"
	"io"
	"sync"

	"aloft.dev/aloft/internal/event"
)

// Plain writes each event as one line, for logs and pipes. It leaves out
// repeated progress of the same resource.
type Plain struct {
	style Style
	mu    sync.Mutex
	out   io.Writer
	last  map[string]string
}

// NewPlain returns a Plain that writes to out.
func NewPlain(out io.Writer, style Style) *Plain {
	return &Plain{style: style, out: out, last: map[string]string{}}
}

// Event is an event.Sink.
func (p *Plain) Event(e event.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if e.Kind == event.Progress && p.last[e.Address] == e.Message {
		return
	}
	p.last[e.Address] = e.Message
	_, _ = fmt.Fprintln(p.out, p.style.line(e))
}

// Close does nothing: every line is written at once.
func (p *Plain) Close() error { return nil }

// JSONLines writes each event as one line of JSON.
type JSONLines struct {
	mu  sync.Mutex
	out *json.Encoder
}

// NewJSONLines returns a JSONLines that writes to out.
func NewJSONLines(out io.Writer) *JSONLines { return &JSONLines{out: json.NewEncoder(jsonWriter{out})} }

// Event is an event.Sink.
func (j *JSONLines) Event(e event.Event) {
	j.mu.Lock()
	defer j.mu.Unlock()
	_ = j.out.Encode(e) // a reader that is gone must not stop the run
}

// Close does nothing: every line is written at once.
func (j *JSONLines) Close() error { return nil }
