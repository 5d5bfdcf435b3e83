// Package simulated has planes without a kernel: they keep what they are set to,
// live through the same states as the real ones, print themselves as text, and
// fail when told to. The loops above cannot tell the difference, so control
// loops are tested with them, and thousands of machines cost nothing.
package simulated

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Faults makes calls of a plane fail, and counts all of them. The zero value
// lets everything succeed.
type Faults struct {
	mu      sync.Mutex
	planned map[string][]error
	calls   map[string]int
}

// Fail lets the next calls of an operation fail, one for each error. An
// operation is named as the method, with the id after a space if only calls for
// that id are meant: "Boot", "Boot i-0123".
func (f *Faults) Fail(operation string, errs ...error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.planned == nil {
		f.planned = map[string][]error{}
	}
	f.planned[operation] = append(f.planned[operation], errs...)
}

// Calls tells how often an operation was called, whether or not it failed.
func (f *Faults) Calls(operation string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[operation]
}

// recordCall counts a call and returns the error that it is to have.
func (f *Faults) recordCall(operation, id string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.calls == nil {
		f.calls = map[string]int{}
	}
	f.calls[operation]++
	for _, name := range []string{operation + " " + id, operation} {
		if planned := f.planned[name]; len(planned) > 0 {
			f.planned[name] = planned[1:]
			return planned[0]
		}
	}
	return nil
}

// joinLines prints the values of a map in the order of their keys, a line each.
func joinLines[V any](all map[string]V, line func(V) string) string {
	var out strings.Builder
	for _, key := range slices.Sorted(maps.Keys(all)) {
		_, _ = fmt.Fprintln(&out, line(all[key]))
	}
	return out.String()
}
