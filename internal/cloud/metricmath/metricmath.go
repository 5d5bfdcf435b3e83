// Package metricmath computes the expressions of Amazon CloudWatch's metric math. Its facts
// are from the Amazon CloudWatch User Guide, "Using math expressions with CloudWatch metrics".
//
// All time series of a program have a value, or none, for each period of one grid. The guide
// calls series whose functions give every period a value non-sparse.
package metricmath

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// Source is a metric, or an expression over others.
type Source struct {
	ID         string
	Label      string // empty: none
	Expression string // empty: a metric
}

// Grid divides time into periods.
type Grid struct {
	Start  time.Time
	Period time.Duration
	N      int // periods
}

// At returns the start of a period.
func (g Grid) At(i int) time.Time { return g.Start.Add(time.Duration(i) * g.Period) }

// Series is a time series.
type Series struct {
	Label  string
	Values []float64 // for each period of the grid; NaN: none
}

// Error describes what is wrong with an expression.
type Error struct {
	ID  string // of the expression
	Why string
}

func (e *Error) Error() string { return fmt.Sprintf("Error in expression '%s': %s", e.ID, e.Why) }

// problem describes what is wrong with an expression, in words like AWS's.
type problem string

func (p problem) Error() string { return string(p) }

// problemf returns a problem.
func problemf(format string, args ...any) error { return problem(fmt.Sprintf(format, args...)) }

// UnsupportedError reports a function of AWS that this package does not have.
type UnsupportedError struct{ Function string }

func (e *UnsupportedError) Error() string { return "the function " + e.Function + " is not supported" }

// ErrTooLong reports that a program takes too many calculations.
var ErrTooLong = errors.New("the expressions take too many calculations")

// maxSteps is how many values a run computes at most: about a tenth of a second's work, and
// 160 MB if an expression keeps them all.
const maxSteps = 20_000_000

// Program is a set of metrics and expressions that refer to each other.
type Program struct {
	sources []Source
	parsed  map[string]node
}

// Compile returns the program of sources, whose ids differ. The error is an *Error or an
// *UnsupportedError.
func Compile(sources []Source) (*Program, error) {
	p := &Program{sources: sources, parsed: map[string]node{}}
	for _, s := range sources {
		if s.Expression == "" {
			continue
		}
		n, err := parse(s.Expression)
		if err != nil {
			return nil, located(s.ID, err)
		}
		p.parsed[s.ID] = n
	}
	// The types of values do not depend on time, so a run over no time finds all errors.
	_, err := p.Run(Grid{Period: time.Minute}, nil)
	return p, err
}

// located says in which expression an error is.
func located(id string, err error) error {
	if why, ok := errors.AsType[problem](err); ok {
		return &Error{ID: id, Why: string(why)}
	}
	return err // it has a place, or none
}

// Arrays returns the ids of the expressions whose results are arrays of time series, in which
// no alarm is possible.
func (p *Program) Arrays() []string {
	r := p.newRun(Grid{Period: time.Minute}, nil)
	var out []string
	for _, s := range p.sources {
		if v, err := r.value(s.ID); err == nil {
			if _, ok := v.(array); ok {
				out = append(out, s.ID)
			}
		}
	}
	return out
}

// Uses reports whether an expression's result depends on a metric.
func (p *Program) Uses(id string) bool {
	r := p.newRun(Grid{Period: time.Minute}, nil)
	if _, err := r.value(id); err != nil {
		return false
	}
	return r.metrics > 0
}

// Run returns the series of every source by its id. metrics has the values of metrics for the
// grid's periods, NaN where there is none. An expression may have any number of series.
func (p *Program) Run(g Grid, metrics map[string][]float64) (map[string][]Series, error) {
	r := p.newRun(g, metrics)
	out := map[string][]Series{}
	for _, s := range p.sources {
		v, err := r.value(s.ID)
		if err != nil {
			return nil, err
		}
		switch v := v.(type) {
		case series:
			label := s.Label
			if label == "" && s.Expression != "" {
				label = s.ID
			}
			out[s.ID] = []Series{{label, v.values}}
		case array:
			out[s.ID] = []Series{}
			for _, one := range v {
				out[s.ID] = append(out[s.ID], Series{joined(s.Label, one.label), one.values})
			}
		}
	}
	return out, nil
}

// joined returns the label of a series in an array: the guide's "Expression-Label Metric-Label".
func joined(expression, metric string) string {
	if expression == "" || metric == "" {
		return expression + metric
	}
	return expression + " " + metric
}

// run is one computation of a program.
type run struct {
	*Program
	grid    Grid
	given   map[string][]float64
	known   map[string]value
	pending []string // the expressions whose values are being computed, outermost first
	steps   int
	metrics int // that expressions have used
}

func (p *Program) newRun(g Grid, metrics map[string][]float64) *run {
	return &run{Program: p, grid: g, given: metrics, known: map[string]value{}}
}

// value returns the value of a source: a series or an array.
func (r *run) value(id string) (value, error) {
	if v, ok := r.known[id]; ok {
		return v, nil
	}
	i := slices.IndexFunc(r.sources, func(s Source) bool { return s.ID == id })
	if i < 0 {
		return nil, problemf("Undefined variable: %s", id)
	}
	s := r.sources[i]
	if s.Expression == "" {
		r.metrics++
		values := r.given[id]
		if values == nil {
			values = r.empty()
		}
		return series{values: values, id: id, label: s.Label}, nil
	}
	if slices.Contains(r.pending, id) {
		return nil, &Error{ID: id, Why: "Circular dependency: the expression refers to itself"}
	}
	r.pending = append(r.pending, id)
	v, err := r.parsed[id].eval(r)
	r.pending = r.pending[:len(r.pending)-1]
	if err != nil {
		return nil, located(id, err)
	}
	switch of := v.(type) {
	case scalar:
		return nil, &Error{ID: id, Why: "The expression must return a time series or an array of time series"}
	case series:
		of.id, of.label = "", s.Label // it is no metric
		if of.label == "" {
			of.label = id
		}
		v = of
	}
	r.known[id] = v
	return v, nil
}

// empty returns a series' values that are all missing.
func (r *run) empty() []float64 { return r.fill(math.NaN()) }

// fill returns a series' values that are all the same.
func (r *run) fill(with float64) []float64 {
	values := make([]float64, r.grid.N)
	for i := range values {
		values[i] = with
	}
	return values
}

// spend counts computed series. It returns an error when there were too many.
func (r *run) spend(n int) error {
	if r.steps += n * max(r.grid.N, 1); r.steps > maxSteps {
		return ErrTooLong
	}
	return nil
}
