// Package metric stores metrics as Amazon CloudWatch does and computes their
// statistics. It keeps one summary a minute, in memory and up to a limit.
package metric

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Resolution is the length of the period that a summary covers.
const Resolution = time.Minute

// Dimension is a name and value that, with others, identify a metric.
type Dimension struct{ Name, Value string }

// ID identifies a metric in a Region. Create it with NewID.
type ID struct {
	Namespace, Name string
	dimensions      string // sorted and joined into one string, so that IDs are comparable
}

// NewID returns the ID of a metric. The order of its dimensions does not matter.
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

// Dimensions returns the metric's dimensions, sorted by name.
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
