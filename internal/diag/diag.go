// Package diag is what Aloft says when something is wrong: where, what, and
// what to do about it.
package diag

import (
	"errors"
	"fmt"
	"strings"
)

// Diagnostic is one problem, told to a person. It is an error.
type Diagnostic struct {
	Where   string `json:"where,omitempty"`  // "aloft.yaml:7:3", "server-2", "port 4566"
	Summary string `json:"summary"`          // what is wrong, in one line
	Detail  string `json:"detail,omitempty"` // the cause, or the tail of a log
	Hint    string `json:"hint,omitempty"`   // what to do
	Cause   error  `json:"-"`
}

// Error gives the place and the summary in one line.
func (d *Diagnostic) Error() string {
	if d.Where == "" {
		return d.Summary
	}
	return d.Where + ": " + d.Summary
}

// Unwrap gives the cause.
func (d *Diagnostic) Unwrap() error { return d.Cause }

// List is several problems found at once. It is an error.
type List []*Diagnostic

// Error gives one line a problem.
func (l List) Error() string {
	lines := make([]string, len(l))
	for i, d := range l {
		lines[i] = d.Error()
	}
	return strings.Join(lines, "\n")
}

// Err gives the list as an error, nil when it is empty.
func (l List) Err() error {
	if len(l) == 0 {
		return nil
	}
	return l
}

// Add appends a problem at where.
func (l *List) Add(where, hint, format string, args ...any) {
	*l = append(*l, &Diagnostic{Where: where, Hint: hint, Summary: fmt.Sprintf(format, args...)})
}

// From gives the diagnostics in err: those it wraps, or one made of its text.
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
