//go:build linux

// Package simulated provides planes that touch no kernel. They store what they are
// given, go through the same states as the real planes, print themselves as text and
// fail on request. Control loops cannot tell them from the real ones, so tests of
// loops use them, and thousands of machines cost nothing.
package simulated

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Faults counts the calls of a plane and makes chosen ones fail. With the zero value
// every call succeeds.
type Faults struct {
	mu      sync.Mutex
	planned map[string][]error
	calls   map[string]int
}

// Fail makes the next calls of an operation fail, one for each error. The operation
// is the method's name, followed by a space and an id to select the calls for that
// id alone: "Boot", "Boot i-0123".
func (f *Faults) Fail(operation string, errs ...error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.planned == nil {
		f.planned = map[string][]error{}
	}
	f.planned[operation] = append(f.planned[operation], errs...)
}

// Calls returns how often an operation was called, failed calls included.
func (f *Faults) Calls(operation string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[operation]
}

// recordCall counts a call and returns the error planned for it, if any.
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

// joinLines formats the values of a map, one a line, in the order of their keys.
func joinLines[V any](values map[string]V, format func(V) string) string {
	var out strings.Builder
	for _, key := range slices.Sorted(maps.Keys(values)) {
		_, _ = fmt.Fprintln(&out, format(values[key]))
	}
	return out.String()
}
