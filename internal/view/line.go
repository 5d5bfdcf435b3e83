package view

import (
	"fmt"
	"strings"
	"time"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/event"
)

// line renders an event as one line, or "" if people need no line for it.
//
//	✓  4,6  route-table      create route table, associate 3 subnets  0.2s
func (s Style) line(e event.Event) string {
	mark := map[event.Kind]string{
		event.Start: "·", event.Progress: "…", event.Done: s.Good("✓"), event.Fail: s.Bad("✗"),
		event.Note:   s.Warn("!"),
		event.Output: s.Faint("│"),
	}[e.Kind]
	step := e.Step
	if step != "" {
		step = "step " + step
	}
	text := strings.TrimRight(diag.Printable(e.Message), "\n")
	switch e.Kind {
	case event.Output:
		text = s.Faint(text)
	case event.Fail:
		text = s.Bad(text)
	}
	line := fmt.Sprintf("%s %-11s %-20s %s", mark, step, e.Address, text)
	if e.Elapsed > 0 {
		line += "  " + s.Faint(Duration(e.Elapsed))
	}
	return line
}

// Duration formats a duration for people, such as "0.3s", "12s" or "2m05s".
func Duration(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1fs", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%.0fs", d.Seconds())
	default:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	}
}
