package history

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"aloft.dev/aloft/internal/diag"
)

const (
	// minPrefix is the shortest prefix that identifies a release.
	minPrefix = 4
	// maxNumberDigits is the longest number of a record. Longer digits are the
	// beginning of a content address.
	maxNumberDigits = 5
)

// Current returns the record of the last release that came into service and was not
// rolled back, or nil if there is none.
func Current(all []Record) *Record {
	return last(all, func(r Record) bool { return r.Result == Released })
}

// Unfinished returns the record of a release that has not ended, because its run is
// at work or was interrupted, or nil if there is none.
func Unfinished(all []Record) *Record { return last(all, Record.Open) }

// Previous returns the record that a rollback returns to by default: the last that came
// into service with another release than the serving one, or with another environment. It
// returns nil if there is none.
func Previous(all []Record, serving Record) *Record {
	return last(all, func(r Record) bool { return r.Result == Released && !r.Same(serving) })
}

// PreviousRelease returns the record of the last release that came into service, other
// than the serving one, or nil if there is none.
func PreviousRelease(all []Record, serving string) *Record {
	return last(all, func(r Record) bool { return r.Result == Released && r.Release != serving })
}

// Same reports whether two records are of one release with one environment.
func (r Record) Same(other Record) bool {
	return r.Release == other.Release && r.Settings.Environment == other.Settings.Environment
}

// Get returns the record with the given number, or nil if there is none.
func Get(all []Record, number int) *Record {
	return last(all, func(r Record) bool { return r.Number == number })
}

func last(all []Record, ok func(Record) bool) *Record {
	for _, r := range slices.Backward(all) {
		if ok(r) {
			return &r
		}
	}
	return nil
}

// Find returns the record of the release that a user names, by its number or by the
// first characters of its content address. A release that never came into service
// is an error. Errors are diagnostics.
func Find(all []Record, name string) (*Record, error) {
	if number, err := strconv.Atoi(name); err == nil && len(name) <= maxNumberDigits {
		if r := Get(all, number); r != nil {
			return r, r.checkServed()
		}
		return nil, notFound(all, name)
	}
	var found *Record
	for _, r := range slices.Backward(all) {
		switch {
		case !strings.HasPrefix(r.Release, name) || len(name) < minPrefix:
		case found == nil || found.Release == r.Release && !found.Served():
			found = &r
		case found.Release != r.Release:
			return nil, &diag.Diagnostic{
				Where:   "release " + name,
				Summary: "is ambiguous: " + found.Release + " and " + r.Release + " begin with it",
				Hint:    "give more characters, or its number: aloft releases lists them",
			}
		}
	}
	if found == nil {
		return nil, notFound(all, name)
	}
	return found, found.checkServed()
}

// checkServed returns an error if the release never came into service.
func (r Record) checkServed() error {
	if r.Served() {
		return nil
	}
	return &diag.Diagnostic{
		Where:   fmt.Sprintf("release %d", r.Number),
		Summary: fmt.Sprintf("cannot be rolled back to: it is %s", r.Result),
		Detail:  r.Reason,
		Hint:    "aloft releases lists those that came into service",
	}
}

func notFound(all []Record, name string) error {
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
