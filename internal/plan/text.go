package plan

import (
	"fmt"
	"strings"

	"aloft.dev/aloft/internal/stack"
)

var signs = map[Action]string{Create: "+", Update: "~", Replace: "±", Delete: "-"}

// headings introduce the phases of a release.
var headings = map[stack.Phase]string{
	stack.PhaseBuild: "Make the release, beside what serves:",
	stack.PhaseProve: "Prove it on a machine that gets no requests:",
	stack.PhaseServe: "Bring it into service, one server after the other:",
}

// String prints the plan for people: one line per change, followed by its
// differences.
func (p *Plan) String() string {
	var out strings.Builder
	title := p.App
	if p.Stage != "" {
		title += ", stage " + p.Stage
	}
	switch {
	case p.RegionFrom != "":
		_, _ = fmt.Fprintf(&out, "%s in %s (from %s)\n\n", title, p.Region, p.RegionFrom)
	case p.Stage != "":
		_, _ = fmt.Fprintf(&out, "%s in %s\n\n", title, p.Region)
	}
	if p.Empty() {
		_, _ = fmt.Fprintln(&out, "Nothing to do: the cloud is as the spec says.")
		p.printNotes(&out)
		return out.String()
	}
	phase := stack.PhaseFirst
	for _, c := range p.Changes {
		if c.Phase != phase {
			phase = c.Phase
			_, _ = fmt.Fprintln(&out, headings[phase])
		}
		_, _ = fmt.Fprintln(&out, c)
		if c.Action == Create {
			continue // its title says what it will be
		}
		for _, d := range c.Differences {
			_, _ = fmt.Fprintf(&out, "    %s\n", d)
		}
	}
	_, _ = fmt.Fprintf(&out, "\n%d to create, %d to change, %d to replace, %d to delete\n",
		p.Count(Create), p.Count(Update), p.Count(Replace), p.Count(Delete))
	p.printNotes(&out)
	return out.String()
}

func (p *Plan) printNotes(out *strings.Builder) {
	for _, note := range p.Notes {
		_, _ = fmt.Fprintf(out, "\n%s\n", note)
	}
}

// String prints the change for people in one line.
func (c Change) String() string {
	line := fmt.Sprintf("%s %-7s %-20s %s", signs[c.Action], c.Action, c.Address, c.Title)
	if c.ID != "" && !strings.Contains(c.Title, c.ID) {
		line += fmt.Sprintf(" (%s)", c.ID)
	}
	if c.Reason != "" {
		line += ": " + c.Reason
	}
	return line
}

// String prints the difference for people: "type: t3.micro → t3.small".
func (d Difference) String() string {
	if d.Hidden {
		return fmt.Sprintf("%s: changes", d.Key)
	}
	text := fmt.Sprintf("%s: %s → %s", d.Key, joinValues(d.Old), joinValues(d.New))
	if d.Replaces {
		text += " (needs another)"
	}
	return text
}

func joinValues(values []string) string {
	if len(values) == 0 {
		return "none"
	}
	return strings.Join(values, ", ")
}
