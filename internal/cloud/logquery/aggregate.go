package logquery

import (
	"math"
	"slices"
	"strings"
)

// aggregation is an aggregation of a stats command: aggregates.of(argument, percentile).
type aggregation struct {
	start    func(percent float64) accumulator
	argument expression // nil: all events count
	percent  float64
}

// accumulator aggregates the values of a group.
type accumulator interface {
	// add takes a value and the time of its event, and returns by how many bytes it grows.
	add(v value, at float64) int
	result() value
}

// aggregates are the functions of stats by their names in lower case (Amazon CloudWatch Logs User Guide, "Aggregation
// functions in the stats command").
var aggregates = map[string]func(percent float64) accumulator{
	"count":          func(float64) accumulator { return &count{} },
	"count_distinct": func(float64) accumulator { return &distinct{seen: map[string]bool{}} },
	"sum":            func(float64) accumulator { return &moments{of: (*moments).total} },
	"avg":            func(float64) accumulator { return &moments{of: (*moments).average} },
	"stddev":         func(float64) accumulator { return &moments{of: (*moments).deviation} },
	"min":            func(float64) accumulator { return &chosen{order: compare, sign: -1} },
	"max":            func(float64) accumulator { return &chosen{order: compare, sign: 1} },
	"sortsfirst":     func(float64) accumulator { return &chosen{order: compareNaturally, sign: -1} },
	"sortslast":      func(float64) accumulator { return &chosen{order: compareNaturally, sign: 1} },
	"earliest":       func(float64) accumulator { return &nearest{sign: -1} },
	"latest":         func(float64) accumulator { return &nearest{sign: 1} },
	"pct":            func(percent float64) accumulator { return &percentile{percent: percent} },
}

// aggregate parses the arguments of an aggregation, and returns the expression of its result.
func (p *parser) aggregate(start func(float64) accumulator, from int) (expression, error) {
	into := p.aggregations
	if into == nil {
		p.pos = from
		return nil, p.errorf("unexpected aggregation %s outside of stats", p.word())
	}
	p.aggregations = nil // they cannot be nested
	defer func() { p.aggregations = into }()
	name := strings.ToLower(p.nameAt(from))
	one := aggregation{start: start}
	if name == "count" && (p.accept("*") || p.closes()) {
		*into = append(*into, one)
		return slot(len(*into) - 1), p.expect(")")
	}
	var err error
	if one.argument, err = p.expression(); err != nil {
		return nil, err
	}
	if name == "pct" {
		if err := p.expect(","); err != nil {
			return nil, err
		}
		percent, ok := p.digits()
		if !ok || percent > 100 {
			return nil, p.errorf("unexpected symbol found %s, expected a percentage", p.found())
		}
		one.percent = percent
	}
	*into = append(*into, one)
	return slot(len(*into) - 1), p.expect(")")
}

// nameAt returns the word at a position.
func (p *parser) nameAt(pos int) string {
	at := scanner{text: p.text, pos: pos}
	return at.word()
}

// closes reports whether a closing parenthesis is next.
func (p *parser) closes() bool {
	p.space()
	return strings.HasPrefix(p.text[p.pos:], ")")
}

// slot returns the result of an aggregation.
func slot(i int) expression { return func(r *record) value { return r.slots[i] } }

// count counts events that have a value.
type count struct{ n float64 }

func (c *count) add(value, float64) int { c.n++; return 0 }
func (c *count) result() value          { return numberValue(c.n) }

type distinct struct{ seen map[string]bool }

func (d *distinct) add(v value, _ float64) int {
	s := v.String()
	if d.seen[s] {
		return 0
	}
	d.seen[s] = true
	return len(s) + fieldOverhead
}

func (d *distinct) result() value { return numberValue(float64(len(d.seen))) }

// moments are the sums from which averages and deviations follow. The deviation is that of Welford's method.
type moments struct {
	n, sum, mean, squares float64
	of                    func(m *moments) float64
}

func (m *moments) add(v value, _ float64) int {
	x, ok := v.numeric()
	if !ok {
		return 0
	}
	m.n++
	m.sum += x
	d := x - m.mean
	m.mean += d / m.n
	m.squares += d * (x - m.mean)
	return 0
}

func (m *moments) total() float64     { return m.sum }
func (m *moments) average() float64   { return m.sum / m.n }
func (m *moments) deviation() float64 { return math.Sqrt(m.squares / m.n) }

func (m *moments) result() value {
	if m.n == 0 {
		return value{}
	}
	return finite(m.of(m))
}

// chosen is the last of the values in an order, or the first if sign is negative.
type chosen struct {
	best  value
	order func(a, b value) int
	sign  int
}

func (c *chosen) add(v value, _ float64) int {
	if c.best.kind != absent && c.order(v, c.best)*c.sign <= 0 {
		return 0
	}
	grows := len(v.text) - len(c.best.text)
	c.best = v
	return grows
}

func (c *chosen) result() value { return c.best }

// nearest is the value of the earliest event, or of the latest if sign is positive.
type nearest struct {
	best value
	at   float64
	sign float64
}

func (n *nearest) add(v value, at float64) int {
	if n.best.kind != absent && at*n.sign <= n.at*n.sign {
		return 0
	}
	grows := len(v.text) - len(n.best.text)
	n.best, n.at = v, at
	return grows
}

func (n *nearest) result() value { return n.best }

// percentile keeps all values.
type percentile struct {
	percent float64
	values  []float64
}

func (p *percentile) add(v value, _ float64) int {
	x, ok := v.numeric()
	if !ok {
		return 0
	}
	p.values = append(p.values, x)
	return 16 // a number, and room for more
}

// result interpolates between the closest ranks.
func (p *percentile) result() value {
	if len(p.values) == 0 {
		return value{}
	}
	slices.Sort(p.values)
	rank := p.percent / 100 * float64(len(p.values)-1)
	low := int(rank)
	high := min(low+1, len(p.values)-1)
	return finite(p.values[low] + (rank-float64(low))*(p.values[high]-p.values[low]))
}
