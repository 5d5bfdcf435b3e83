package view

import (
	"fmt"
	"io"

	"aloft.dev/aloft/internal/preflight"
)

// Checks writes the checks before a plan, one per line. What failed is followed by its
// cause and its remedy.
func (s Style) Checks(out io.Writer, report preflight.Report) {
	marks := map[preflight.State]string{
		preflight.OK: s.Good("✓"), preflight.Failed: s.Bad("✗"), preflight.NotChecked: s.Warn("–"),
	}
	for _, c := range report {
		detail := c.Detail
		if c.State == preflight.NotChecked {
			detail = "not checked: " + detail
		}
		if c.State == preflight.Failed {
			detail = s.Bad("up will stop here")
		}
		_, _ = fmt.Fprintf(out, "  %s %-28s %s\n", marks[c.State], c.Name, detail)
		for _, d := range c.Problems {
			_, _ = fmt.Fprintf(out, "%s\n", indent(d.Summary, "      │ "))
			if d.Detail != "" {
				_, _ = fmt.Fprintf(out, "%s\n", indent(d.Detail, "      │ "))
			}
			_, _ = fmt.Fprintf(out, "%s\n", indent(d.Hint, "      → "))
		}
	}
}
