package cli

import (
	"fmt"
	"strings"
	"time"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/view"
)

// printScaling prints the state of an Auto Scaling group: its sizes, its policy,
// its schedules and its latest activities.
func (g *global) printScaling(s *apply.Scaling) {
	style := g.style(g.Out)
	cost := ""
	if s.Cost != "" {
		cost = ", " + s.Cost
	}
	name := style.Strong("Auto Scaling group " + s.Group)
	_, _ = fmt.Fprintf(g.Out, "\n%s: %d servers of %d to %d%s\n", name, s.Desired, s.Min, s.Max, cost)
	if p := s.Policy; p != nil {
		_, _ = fmt.Fprintf(g.Out, "  %s\n", p.Next)
		for _, alarm := range p.Alarms {
			state := style.Good(alarm.State)
			if alarm.State != "OK" {
				state = style.Warn(alarm.State)
			}
			_, _ = fmt.Fprintf(g.Out, "  %s: %s\n", style.Name(alarm.Name), state)
		}
	}
	for _, at := range s.Schedules {
		next := ""
		if at.Next != "" {
			next = ", next " + at.Next
		}
		_, _ = fmt.Fprintf(g.Out, "  schedule %s (%s): %s%s\n", at.Cron, at.Timezone, at.Sizes, next)
	}
	if r := s.Refresh; r != nil {
		state := style.Warn("replacing servers, " + r.Status)
		text := fmt.Sprintf("%s: %d %%, %d servers left. %s", state, r.Percent, r.Left, r.Reason)
		_, _ = fmt.Fprintf(g.Out, "  %s\n", strings.TrimRight(text, " "))
	}
	if len(s.Activities) > 0 {
		_, _ = fmt.Fprintln(g.Out)
		style.Table(g.Out, activityRows(style, s))
	}
}

func activityRows(style view.Style, s *apply.Scaling) [][]string {
	rows := [][]string{{"SINCE", "ACTIVITY", "STATUS"}}
	for _, a := range s.Activities {
		status := a.Status
		switch a.Status {
		case "Successful":
			status = style.Good(status)
		case "Failed", "Cancelled":
			status = style.Bad(status)
			if a.Message != "" {
				status += ": " + a.Message
			}
		default:
			status = style.Warn(status)
		}
		rows = append(rows, []string{a.Started.Local().Format(time.DateTime), a.Description, status})
	}
	return rows
}
