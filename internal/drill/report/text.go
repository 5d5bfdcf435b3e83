package report

import (
	"fmt"
	"io"
	"strings"
)

// Text writes the report for a terminal of a width. strong emphasizes a text; it may
// be nil.
func (r Report) Text(out io.Writer, width int, strong func(string) string) {
	if strong == nil {
		strong = func(s string) string { return s }
	}
	title := "drill " + r.Experiment
	if r.Victim != "" {
		title += ": " + r.Victim
	}
	_, _ = fmt.Fprintf(out, "%s\n\n%s\n", strong(title), Chart(r.facts.Recording, width, 6))
	for _, row := range r.Rows() {
		_, _ = fmt.Fprintf(out, "%-16s %s\n", row[0], row[1])
	}
	_, _ = fmt.Fprintf(out, "\n%-16s %10s %10s %10s   ms, of the requests that were answered\n",
		"latency", "p50", "p99", "p99.9")
	for _, phase := range []struct {
		name string
		p    Percentiles
	}{{"before", r.Latency.Before}, {"during", r.Latency.During}, {"after", r.Latency.After}} {
		_, _ = fmt.Fprintf(out, "%-16s %10.1f %10.1f %10.1f\n", phase.name, phase.p.P50, phase.p.P99, phase.p.P999)
	}
	if len(r.Targets) > 0 {
		_, _ = fmt.Fprintln(out, "\nanswered by")
		for _, t := range r.Targets {
			_, _ = fmt.Fprintf(out, "  %-22s %7d  %s\n", t.Name, t.Requests, sparkline(t.PerSecond, max(10, width-36)))
		}
	}
	r.writeVerdict(out, strong)
}

// Rows are the report's results in words, each with its name.
func (r Report) Rows() [][2]string {
	rows := [][2]string{
		{"stands for", r.StandsFor},
		{"requests", fmt.Sprintf("%d sent, %d failed%s", r.Sent, r.Failed, kinds(r.FailedByKind))},
		{"availability", percent(r.Availability) + " over the run"},
	}
	if r.Failed > 0 {
		rows = append(rows, [2]string{"errors", fmt.Sprintf("for %s, the last one %s the disturbance%s",
			seconds(&r.ErrorWindow), relative(r.LastFailure), r.errorBound())})
	}
	rows = append(rows,
		[2]string{"detected", afterText(r.Detected)},
		[2]string{"out of rotation", afterText(r.OutOfRotation) + r.outOfRotationBound()},
		[2]string{"put back", afterText(r.Restored)},
		[2]string{"recovered", afterText(r.Recovered)},
	)
	if r.Alerts != nil {
		rows = append(rows, [2]string{"alerts", alertsText(r.Alerts)})
	}
	return rows
}

func alertsText(fired []string) string {
	if len(fired) == 0 {
		return "none went off during the drill"
	}
	return strings.Join(fired, ", ") + " went off: people were told"
}

func (r Report) writeVerdict(out io.Writer, strong func(string) string) {
	if r.Bound > 0 {
		r.writeBound(out)
		if r.InsideBound {
			_, _ = fmt.Fprintf(out, "%s: no request failed outside of it\n", strong("inside the bound"))
		} else {
			_, _ = fmt.Fprintf(out, "%s: %s failed outside of it\n",
				strong("OUTSIDE THE BOUND"), plural(r.OutsideOfBound, "request", "requests"))
		}
	}
	for _, a := range r.Advice {
		_, _ = fmt.Fprintf(out, "advice: %s\n", a)
	}
}

// writeBound writes the paths and terms of the bound.
func (r Report) writeBound(out io.Writer) {
	from, longest := "the disturbance", ""
	if r.BoundFrom == fromRestored {
		from = "it ended"
	}
	if len(r.BoundPaths) > 1 {
		longest = ", the longest of these paths"
	}
	_, _ = fmt.Fprintf(out, "\nbound %s after %s%s:\n", seconds(&r.Bound), from, longest)
	for _, p := range r.BoundPaths {
		_, _ = fmt.Fprintf(out, "  %8s  %s\n", seconds(&p.Milliseconds), p.What)
		for _, t := range p.Terms {
			_, _ = fmt.Fprintf(out, "            %7s  %s\n", seconds(&t.Milliseconds), t.What)
		}
	}
}

// errorBound returns the bound of the errors in parentheses.
func (r Report) errorBound() string {
	if r.Bound == 0 || r.BoundFrom == fromRestored {
		return ""
	}
	return " (bound " + seconds(&r.Bound) + ")"
}

// outOfRotationBound returns the bound of the time until the victims are out of
// rotation, in parentheses.
func (r Report) outOfRotationBound() string {
	if len(r.BoundPaths) == 0 || r.BoundFrom == fromRestored || r.OutOfRotation == nil {
		return ""
	}
	return " (bound " + seconds(&r.BoundPaths[0].Milliseconds) + ")"
}
