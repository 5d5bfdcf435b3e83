//go:build linux

package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"aloft.dev/aloft/test/manners"
)

// summary is the benchmark's result.
type summary struct {
	Commands []string `json:"commands"`
	Rows     []row    `json:"rows"`
}

// row is the result of all journeys on clouds with the same manners.
type row struct {
	Manners  string         `json:"manners"`
	Journeys int            `json:"journeys"`
	Passed   map[string]int `json:"passed"`          // by command
	Up       float64        `json:"up_s"`            // median of the first up
	Path     float64        `json:"critical_path_s"` // median
	Ratio    float64        `json:"ratio"`           // median of up to its critical path
	Worst    float64        `json:"worst_ratio"`     // largest ratio
}

// summarize groups results by the clouds' manners, in the order of their first result
// by name, with all manners first.
func summarize(results []manners.Result) summary {
	var s summary
	byManners := map[string][]manners.Result{}
	var names []string
	for _, r := range results {
		if byManners[r.Manners] == nil {
			names = append(names, r.Manners)
		}
		byManners[r.Manners] = append(byManners[r.Manners], r)
		if len(r.Stages) > len(s.Commands) {
			s.Commands = nil
			for _, stage := range r.Stages {
				s.Commands = append(s.Commands, stage.Name)
			}
		}
	}
	slices.SortFunc(names, func(a, b string) int {
		if (a == "aws") != (b == "aws") {
			return map[bool]int{true: -1, false: 1}[a == "aws"]
		}
		return strings.Compare(a, b)
	})
	for _, name := range names {
		s.Rows = append(s.Rows, newRow(name, byManners[name]))
	}
	return s
}

func newRow(name string, results []manners.Result) row {
	r := row{Manners: name, Journeys: len(results), Passed: map[string]int{}}
	var ups, paths, ratios []float64
	for _, result := range results {
		for _, stage := range result.Stages {
			if stage.Passed {
				r.Passed[stage.Name]++
			}
		}
		if result.Path > 0 {
			ups, paths = append(ups, result.Up.Seconds()), append(paths, result.Path.Seconds())
			ratios = append(ratios, result.Up.Seconds()/result.Path.Seconds())
		}
	}
	if len(ratios) > 0 {
		r.Up, r.Path, r.Ratio, r.Worst = median(ups), median(paths), median(ratios), slices.Max(ratios)
	}
	return r
}

func median(values []float64) float64 {
	values = slices.Sorted(slices.Values(values))
	return values[len(values)/2]
}

func (s summary) print(out io.Writer) {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	commands := strings.ToUpper(strings.Join(s.Commands, "\t"))
	_, _ = fmt.Fprintf(table, "MANNERS\t%s\tFIRST UP\tCRITICAL PATH\tRATIO\tWORST RATIO\n", commands)
	for _, r := range s.Rows {
		_, _ = fmt.Fprintf(table, "%s\t", r.Manners)
		for _, command := range s.Commands {
			_, _ = fmt.Fprintf(table, "%d of %d\t", r.Passed[command], r.Journeys)
		}
		_, _ = fmt.Fprintf(table, "%.0f s\t%.0f s\t%.2f\t%.2f\n", r.Up, r.Path, r.Ratio, r.Worst)
	}
	_ = table.Flush()
}
