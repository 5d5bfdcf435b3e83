package cli

import (
	"fmt"
	"io"
	"strings"
	"sync"

	"aloft.dev/aloft/internal/drill/report"
	"aloft.dev/aloft/internal/event"
	"aloft.dev/aloft/internal/load"
	"aloft.dev/aloft/internal/view"
)

// drillProgress shows the events of a drill. On a terminal it redraws a chart of
// the load below them.
type drillProgress struct {
	progress
	terminal io.Writer // nil if standard error is not a terminal

	mu sync.Mutex
}

func (g *global) newDrillProgress() *drillProgress {
	if g.json || !isTerminal(g.Err) {
		return &drillProgress{progress: newLazyProgress(g.newProgress)}
	}
	return &drillProgress{progress: view.NewPlain(g.Err, g.style(g.Err)), terminal: g.Err}
}

// clearBelow erases everything below the cursor (ECMA-48, ED).
const clearBelow = "\r\x1b[J"

// Event shows one event. It is an event.Sink.
func (p *drillProgress) Event(e event.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.terminal != nil {
		_, _ = io.WriteString(p.terminal, clearBelow)
	}
	p.progress.Event(e)
}

// live returns a function that draws the load so far and leaves the cursor above
// it, or nil if there is no terminal.
func (p *drillProgress) live() func(load.Recording) {
	if p.terminal == nil {
		return nil
	}
	return func(r load.Recording) {
		chart := strings.TrimRight(report.Chart(r, terminalWidth(p.terminal)-1, 6), "\n") + "\n"
		p.mu.Lock()
		defer p.mu.Unlock()
		_, _ = fmt.Fprintf(p.terminal, "%s%s\x1b[%dA", clearBelow, chart, strings.Count(chart, "\n"))
	}
}

// Close ends the view.
func (p *drillProgress) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.terminal != nil {
		_, _ = io.WriteString(p.terminal, clearBelow)
	}
	return p.progress.Close()
}
