package cli

import (
	"fmt"
	"io"
	"time"

	"aloft.dev/aloft/internal/timing"
	"aloft.dev/aloft/internal/view"
)

// timingsOf returns the report of a run, or nil if nothing was recorded.
func timingsOf(times *timing.Recorder, began, ended time.Time) *timing.Report {
	if times == nil {
		return nil
	}
	report := times.Report(began, ended)
	return &report
}

// printTimings prints how long the tasks of a run took. It prints nothing if nothing
// was recorded.
func (g *global) printTimings(out io.Writer, times *timing.Recorder, began, ended time.Time) {
	report := timingsOf(times, began, ended)
	if report == nil || g.json {
		return
	}
	rows := [][]string{{"", "START", "TOOK", "RESOURCE", "TASK"}}
	for _, t := range report.Tasks {
		mark := ""
		if t.Critical {
			mark = "*"
		}
		rows = append(rows, []string{mark, view.Duration(t.Start), view.Duration(t.Took), t.Address, t.Message})
	}
	_, _ = fmt.Fprintln(out)
	g.style(out).Table(out, rows)
	if report.CriticalPath == 0 {
		_, _ = fmt.Fprintf(out, "\n  The run took %s and had no tasks.\n", view.Duration(report.Took))
		return
	}
	_, _ = fmt.Fprintf(out, "\n  * The critical path: these tasks wait for each other and took %s together.\n",
		view.Duration(report.CriticalPath))
	_, _ = fmt.Fprintf(out, "  The run took %s, %.2f times the critical path.\n",
		view.Duration(report.Took), float64(report.Took)/float64(report.CriticalPath))
}
