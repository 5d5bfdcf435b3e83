// Package metric keeps what was measured: metrics as Amazon CloudWatch has them,
// with a summary of every minute. It is in memory alone and bounded.
package metric

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Resolution is the time that a summary covers.
const Resolution = time.Minute

// Dimension is a part of a metric's identity.
type Dimension struct{ Name, Value string }

// ID identifies a metric in a region. Make it with NewID.
type ID struct {
	Namespace, Name string
	dimensions      string // sorted, in one string so that IDs can be compared
}

// NewID is the metric with the dimensions, whose order does not matter.
func NewID(namespace, name string, dimensions ...Dimension) ID {
	sorted := slices.Clone(dimensions)
	slices.SortFunc(
		sorted,
		func(a, b Dimension) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Value, b.Value)) },
	)
	var b strings.Builder
	for _, d := range sorted {
		b.WriteString(d.Name + "\x00" + d.Value + "\x00")
	}
	return ID{namespace, name, b.String()}
}

// Dimensions are the metric's, sorted by name.
func (id ID) Dimensions() []Dimension {
	var out []Dimension
	for rest := id.dimensions; rest != ""; {
		var d Dimension
		d.Name, rest, _ = strings.Cut(rest, "\x00")
		d.Value, rest, _ = strings.Cut(rest, "\x00")
		out = append(out, d)
	}
	return out
}

func compareIDs(a, b ID) int {
	return cmp.Or(
		cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name), cmp.Compare(a.dimensions, b.dimensions),
	)
}
