package cli

import (
	"cmp"
	"context"
	"sync"
	"sync/atomic"

	"aloft.dev/aloft/internal/event"
	"aloft.dev/aloft/internal/view"
)

// progress shows the events of a run on standard error.
type progress interface {
	Event(event.Event)
	Close() error
}

// newProgress returns the view that suits standard error: JSON lines, a live
// display on a terminal, or plain lines.
func (g *global) newProgress() progress {
	switch {
	case g.json:
		return view.NewJSONLines(g.Err)
	case isTerminal(g.Err):
		return view.NewLive(g.Err, g.style(g.Err))
	}
	return view.NewPlain(g.Err, g.style(g.Err))
}

// lazyProgress creates its view at the first event. Until then others may write
// to the same stream, such as the start of the local cloud.
type lazyProgress struct {
	view   func() progress
	begun  atomic.Bool // there was an event
	worked atomic.Bool // there was an event that starts work
}

func newLazyProgress(newView func() progress) *lazyProgress {
	return &lazyProgress{view: sync.OnceValue(newView)}
}

// Event shows one event. It is an event.Sink.
func (p *lazyProgress) Event(e event.Event) {
	p.begun.Store(true)
	if e.Kind == event.Start {
		p.worked.Store(true)
	}
	p.view().Event(e)
}

// Close ends the view.
func (p *lazyProgress) Close() error {
	if !p.begun.Load() {
		return nil
	}
	return p.view().Close()
}

// end closes the view and returns the error of the run: err, the view's own error,
// or the cause of a context that was canceled.
func (p *lazyProgress) end(ctx context.Context, err error) error {
	return cmp.Or(err, p.Close(), context.Cause(ctx))
}
