// Package diag defines the problems that Aloft reports to people: where a problem
// is, what it is and how to solve it.
package diag

import (
	"errors"
	"fmt"
	"strings"
)

// Diagnostic describes one problem to a person. It is an error.
type Diagnostic struct {
	Where   string `json:"where,omitempty"`  // "aloft.yaml:7:3", "server-2", "port 4566"
	Summary string `json:"summary"`          // what is wrong, in one line
	Detail  string `json:"detail,omitempty"` // the cause, or the end of a log
	Hint    string `json:"hint,omitempty"`   // what to do
	Cause   error  `json:"-"`
}

// Error returns the place and the summary in one line.
func (d *Diagnostic) Error() string {
	if d.Where == "" {
		return d.Summary
	}
	return d.Where + ": " + d.Summary
}

// Unwrap returns the cause.
func (d *Diagnostic) Unwrap() error { return d.Cause }

// List is a list of problems that were found together. It is an error.
type List []*Diagnostic

// Error returns one line per problem.
func (l List) Error() string {
	lines := make([]string, len(l))
	for i, d := range l {
		lines[i] = d.Error()
	}
	return strings.Join(lines, "\n")
}

// Err returns the list as an error, or nil if it is empty.
func (l List) Err() error {
	if len(l) == 0 {
		return nil
	}
	return l
}

// Add appends a problem.
func (l *List) Add(where, hint, format string, args ...any) {
	*l = append(*l, &Diagnostic{Where: where, Hint: hint, Summary: fmt.Sprintf(format, args...)})
}

// From returns the diagnostics that err wraps, or one with err's text if it wraps
// none.
func From(err error) List {
	if err == nil {
		return nil
	}
	var list List
	if errors.As(err, &list) {
		return list
	}
	var d *Diagnostic
	if errors.As(err, &d) {
		return List{d}
	}
	return List{{Summary: err.Error(), Cause: err}}
}
