package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"golang.org/x/term"

	"aloft.dev/aloft/internal/drill"
	"aloft.dev/aloft/internal/drill/report"
	"aloft.dev/aloft/internal/event"
	"aloft.dev/aloft/internal/load"
	"aloft.dev/aloft/internal/view"
)

// drillResult tells what a drill measured, and ends with the exit code for it.
func (a *app) drillResult(r drill.Result, svg string) error {
	if svg != "" {
		if err := os.WriteFile(svg, r.SVG(), 0o644); err != nil {
			return fmt.Errorf("draw the run: %w", err)
		}
	}
	if a.json {
		if err := view.JSON(a.Out, r); err != nil {
			return err
		}
	} else {
		a.drillText(r)
	}
	if !r.Inside() {
		return exit(ExitOutside)
	}
	return nil
}

func (a *app) drillText(r drill.Result) {
	style := a.style(a.Out)
	r.Text(a.Out, width(a.Out), style.Strong)
	if r.Capacity != nil {
		_, _ = fmt.Fprintf(
			a.Out,
			"%s %.0f requests a second are served well: %.0f a server\n",
			style.Good("✓"),
			r.Capacity.Rate,
			r.Capacity.PerMachine,
		)
	}
}

// width of a terminal in cells, 80 of anything else.
func width(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if columns, _, err := term.GetSize(int(f.Fd())); err == nil {
			return columns
		}
	}
	return 80
}

// drillScreen tells the story of a drill, on a terminal above a chart of the
// load that is drawn over again and again.
type drillScreen struct {
	teller
	out io.Writer // the terminal; nil: there is none

	mu sync.Mutex
}

func (a *app) drillTeller() *drillScreen {
	if a.json || !isTerminal(a.Err) {
		return &drillScreen{teller: newOnce(a.teller)}
	}
	return &drillScreen{teller: view.NewPlain(a.Err, a.style(a.Err)), out: a.Err}
}

// clearBelow removes what is below the cursor (ECMA-48, ED).
const clearBelow = "\r\x1b[J"

// Event tells one event. It is an event.Sink.
func (s *drillScreen) Event(e event.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.out != nil {
		_, _ = io.WriteString(s.out, clearBelow)
	}
	s.teller.Event(e)
}

// live draws the load so far, and leaves the cursor above it.
func (s *drillScreen) live() func(load.Recording) {
	if s.out == nil {
		return nil
	}
	return func(r load.Recording) {
		chart := strings.TrimRight(report.Chart(r, width(s.out)-1, 6), "\n") + "\n"
		s.mu.Lock()
		defer s.mu.Unlock()
		_, _ = fmt.Fprintf(s.out, "%s%s\x1b[%dA", clearBelow, chart, strings.Count(chart, "\n"))
	}
}

// Close ends the story.
func (s *drillScreen) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.out != nil {
		_, _ = io.WriteString(s.out, clearBelow)
	}
	return s.teller.Close()
}
