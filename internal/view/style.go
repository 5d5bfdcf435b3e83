// Package view renders plans, events, results and problems, for people and for
// machines.
package view

import (
	"charm.land/lipgloss/v2"
)

// Style colours text. The zero value uses no colours.
type Style struct{ Color bool }

func (s Style) paint(color, text string) string {
	if !s.Color {
		return text
	}
	return lipgloss.NewStyle().Foreground(lipgloss.Color(color)).Render(text)
}

// Good marks success.
func (s Style) Good(text string) string { return s.paint("2", text) }

// Bad marks failure.
func (s Style) Bad(text string) string { return s.paint("1", text) }

// Warn marks something that needs attention.
func (s Style) Warn(text string) string { return s.paint("3", text) }

// Name marks a name that people type or search for.
func (s Style) Name(text string) string { return s.paint("6", text) }

// Faint marks secondary text.
func (s Style) Faint(text string) string {
	if !s.Color {
		return text
	}
	return lipgloss.NewStyle().Faint(true).Render(text)
}

// Strong marks headings.
func (s Style) Strong(text string) string {
	if !s.Color {
		return text
	}
	return lipgloss.NewStyle().Bold(true).Render(text)
}
