package cli

import (
	"fmt"
	"strings"
	"time"

	"aloft.dev/aloft/internal/apply"
)

// scaling prints how a group stands: its sizes, what it follows, what it did last.
func (a *app) scaling(s *apply.Scaling) {
	style := a.style(a.Out)
	cost := ""
	if s.Cost != "" {
		cost = ", " + s.Cost
	}
	_, _ = fmt.Fprintf(
		a.Out,
		"\n%s: %d servers of %d to %d%s\n",
		style.Strong("Auto Scaling group "+s.Group),
		s.Desired,
		s.Min,
		s.Max,
		cost,
	)
	if p := s.Policy; p != nil {
		_, _ = fmt.Fprintf(a.Out, "  %s\n", p.Next)
		for _, alarm := range p.Alarms {
			state := style.Good(alarm.State)
			if alarm.State != "OK" {
				state = style.Warn(alarm.State)
			}
			_, _ = fmt.Fprintf(a.Out, "  %s: %s\n", style.Name(alarm.Name), state)
		}
	}
	for _, at := range s.Schedules {
		next := ""
		if at.Next != "" {
			next = ", next " + at.Next
		}
		_, _ = fmt.Fprintf(a.Out, "  schedule %s (%s): %s%s\n", at.Cron, at.Timezone, at.Sizes, next)
	}
	if r := s.Refresh; r != nil {
		_, _ = fmt.Fprintf(
			a.Out,
			"  %s\n",
			strings.TrimRight(
				fmt.Sprintf(
					"%s: %d %%, %d servers left. %s",
					style.Warn("replacing servers, "+r.Status),
					r.Percent,
					r.Left,
					r.Reason,
				),
				" ",
			),
		)
	}
	if len(s.Activities) == 0 {
		return
	}
	_, _ = fmt.Fprintln(a.Out)
	rows := [][]string{{"SINCE", "ACTIVITY", "STATUS"}}
	for _, x := range s.Activities {
		status := x.Status
		switch x.Status {
		case "Successful":
			status = style.Good(status)
		case "Failed", "Cancelled":
			status = style.Bad(status)
			if x.Message != "" {
				status += ": " + x.Message
			}
		default:
			status = style.Warn(status)
		}
		rows = append(rows, []string{x.Started.Local().Format(time.DateTime), x.Description, status})
	}
	style.Table(a.Out, rows)
}
