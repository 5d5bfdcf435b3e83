package view

import (
	"fmt"
	"io"
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
)

// Table writes rows in columns, each as wide as its widest cell. The first row is the
// heading.
func (s Style) Table(out io.Writer, rows [][]string) {
	widths := map[int]int{}
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], lipgloss.Width(cell))
		}
	}
	for n, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			if i < len(row)-1 {
				cell += strings.Repeat(" ", widths[i]-lipgloss.Width(cell)+2)
			}
			line.WriteString(cell)
		}
		text := strings.TrimRight(line.String(), " ")
		if n == 0 {
			text = s.Faint(text)
		}
		_, _ = fmt.Fprintln(out, "  "+text)
	}
}

// clip cuts a line to a width in cells and keeps its colour sequences complete.
func clip(line string, width int) string { return ansi.Truncate(line, width, "…") }
