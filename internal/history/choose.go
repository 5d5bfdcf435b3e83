package history

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"aloft.dev/aloft/internal/diag"
)

// Current is the record of the last release that came into service and was not
// gone back from, nil when there is none.
func Current(all []Record) *Record {
	return last(all, func(r Record) bool { return r.Result == Released })
}

// Unfinished is the record of a release that has not ended: its run was
// stopped, or is still at work. nil when there is none.
func Unfinished(all []Record) *Record { return last(all, Record.Open) }

// Get finds a record by its number, nil when there is none.
func Get(all []Record, number int) *Record {
	return last(all, func(r Record) bool { return r.Number == number })
}

func last(all []Record, ok func(Record) bool) *Record {
	for i := len(all) - 1; i >= 0; i-- {
		if ok(all[i]) {
			r := all[i]
			return &r
		}
	}
	return nil
}

// Previous is the record that a rollback goes to when none is named: the last
// release that was good, and that is not the one that serves.
func Previous(all []Record, serves string) *Record {
	return last(all, func(r Record) bool { return r.Result == Released && r.Release != serves })
}

// Find finds the release that somebody names: by its number, or by the first
// characters of its content address. What never came into service is none to
// go to. The error is a diagnostic.
func Find(all []Record, name string) (*Record, error) {
	if number, err := strconv.Atoi(name); err == nil && len(name) < 6 {
		if r := Get(all, number); r != nil {
			return r, r.good()
		}
		return nil, unknown(all, name)
	}
	var found *Record
	for _, r := range slices.Backward(all) {
		switch {
		case !strings.HasPrefix(r.Release, name) || len(name) < 4:
		case found == nil || found.Release == r.Release && found.good() != nil:
			found = &r
		case found.Release != r.Release:
			return nil, &diag.Diagnostic{
				Where:   "release " + name,
				Summary: "is not clear: " + found.Release + " and " + r.Release + " begin so",
				Hint:    "give more of it, or its number: aloft releases lists them",
			}
		}
	}
	if found == nil {
		return nil, unknown(all, name)
	}
	return found, found.good()
}

func (r Record) good() error {
	if r.Result == Released || r.Result == RolledBack {
		return nil
	}
	return &diag.Diagnostic{
		Where:   fmt.Sprintf("release %d", r.Number),
		Summary: fmt.Sprintf("is none to go back to: it is %s", r.Result),
		Detail:  r.Reason,
		Hint:    "aloft releases lists those that came into service",
	}
}

func unknown(all []Record, name string) error {
	d := &diag.Diagnostic{
		Where:   "release " + name,
		Summary: "is not in the history",
		Hint:    "aloft releases lists them: give a number, or the first characters of a release",
	}
	if len(all) == 0 {
		d.Detail = "the history is empty"
	}
	return d
}
