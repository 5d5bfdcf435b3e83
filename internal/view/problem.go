package view

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"aloft.dev/aloft/internal/diag"
)

// Problems writes diagnostics for people: the place, the problem, the cause and the
// remedy.
func (s Style) Problems(out io.Writer, list diag.List) {
	for _, d := range list {
		_, _ = fmt.Fprintf(out, "%s %s\n", s.Bad("Error:"), s.Strong(diag.Printable(d.Error())))
		if d.Detail != "" {
			_, _ = fmt.Fprintf(out, "%s\n", indent(d.Detail, "  │ "))
		}
		if d.Hint != "" {
			_, _ = fmt.Fprintf(out, "%s\n", indent(d.Hint, "  → "))
		}
	}
}

// ProblemsJSON writes diagnostics as one JSON document.
func ProblemsJSON(out io.Writer, list diag.List) error {
	return JSON(out, map[string]any{"errors": list})
}

// JSON writes one document.
func JSON(out io.Writer, document any) error {
	encoder := json.NewEncoder(jsonWriter{out})
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(document); err != nil {
		return fmt.Errorf("write the result: %w", err)
	}
	return nil
}

// indent prepares a text of several lines for a terminal.
func indent(text, by string) string {
	lines := strings.Split(strings.TrimRight(diag.Printable(text), "\n"), "\n")
	for i, line := range lines {
		if i > 0 && strings.Contains(by, "→") {
			by = "    "
		}
		lines[i] = by + line
	}
	return strings.Join(lines, "\n")
}
