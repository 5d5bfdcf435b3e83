package logquery

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// each is a sink that does something with each record.
type each struct {
	do   func(r *record) error
	next sink
}

func (s each) add(r *record) error { return s.do(r) }
func (s each) end() error          { return s.next.end() }

func (c fieldsCommand) sink(_ *Run, next sink) sink {
	return each{func(r *record) error {
		for _, column := range c {
			r.set(column.name, column.of(r))
		}
		return next.add(r)
	}, next}
}

func (c filterCommand) sink(_ *Run, next sink) sink {
	return each{func(r *record) error {
		if !c(r).true() {
			return nil
		}
		return next.add(r)
	}, next}
}

func (c *parseCommand) sink(_ *Run, next sink) sink {
	return each{func(r *record) error {
		if v := c.of(r); v.kind != absent {
			if parts := c.match(v.String()); parts != nil {
				for i, name := range c.names {
					r.set(name, textValue(parts[i+1]))
				}
			}
		}
		return next.add(r)
	}, next}
}

func (c limitCommand) sink(_ *Run, next sink) sink {
	left := int(c)
	return each{func(r *record) error {
		if left == 0 {
			return nil
		}
		left--
		return next.add(r)
	}, next}
}

func (c dedupCommand) sink(run *Run, next sink) sink {
	seen := map[string]bool{}
	return each{func(r *record) error {
		key, whole := keyOf(c, r)
		if whole {
			if seen[key] {
				return nil
			}
			seen[key] = true
			if err := run.keep(len(key) + fieldOverhead); err != nil {
				return err
			}
		}
		return next.add(r)
	}, next}
}

// keyOf returns a text that tells values of expressions apart, and whether all have one.
func keyOf(by []expression, r *record) (key string, whole bool) {
	var out strings.Builder
	whole = true
	for _, e := range by {
		v := e(r)
		whole = whole && v.kind != absent
		s := v.String()
		out.WriteString(strconv.Itoa(len(s)) + ":" + s)
		if v.kind == absent {
			out.WriteByte('-')
		}
	}
	return out.String(), whole
}

// sorter keeps records until all are there.
type sorter struct {
	*sortCommand
	run  *Run
	next sink
	kept []sortable
	most int // of the first records that are needed; 0: all
}

type sortable struct {
	*record
	keys []value
	size int
}

func (c *sortCommand) sink(run *Run, next sink) sink {
	s := &sorter{sortCommand: c, run: run, next: next, most: c.most}
	if _, last := next.(*collector); last {
		s.most = run.limit
	}
	return s
}

func (s *sorter) add(r *record) error {
	one := sortable{record: r, size: r.size()}
	for _, e := range s.by {
		v := e(r)
		one.keys, one.size = append(one.keys, v), one.size+len(v.text)+fieldOverhead
	}
	r.forget()
	s.kept = append(s.kept, one)
	if err := s.run.keep(one.size); err != nil {
		s.trim()
		return s.run.keep(0)
	}
	if s.most > 0 && len(s.kept) >= 2*s.most {
		s.trim()
	}
	return nil
}

// trim leaves the first records.
func (s *sorter) trim() {
	slices.SortStableFunc(s.kept, s.compare)
	if s.most == 0 || len(s.kept) <= s.most {
		return
	}
	for i := s.most; i < len(s.kept); i++ {
		s.run.kept -= s.kept[i].size
		s.kept[i] = sortable{}
	}
	s.kept = s.kept[:s.most]
}

func (s *sorter) compare(a, b sortable) int {
	order := 0
	for i := range s.by {
		one := compareNaturally(a.keys[i], b.keys[i])
		if s.descending[i] {
			one = -one
		}
		order = cmp.Or(order, one)
	}
	return order
}

func (s *sorter) end() error {
	s.trim()
	for i, one := range s.kept {
		s.run.kept -= one.size
		s.kept[i] = sortable{}
		if err := s.next.add(one.record); err != nil {
			return err
		}
	}
	return s.next.end()
}

// group is a group of records with the same values.
type group struct {
	by           []value
	accumulators []accumulator
}

// grouper aggregates records by group.
type grouper struct {
	*statsCommand
	run    *Run
	next   sink
	groups map[string]*group
	order  []*group
	keys   []expression
}

func (c *statsCommand) sink(run *Run, next sink) sink {
	g := &grouper{statsCommand: c, run: run, next: next, groups: map[string]*group{}}
	for _, column := range c.by {
		g.keys = append(g.keys, column.of)
	}
	return g
}

func (g *grouper) add(r *record) error {
	key, _ := keyOf(g.keys, r)
	found, ok := g.groups[key]
	grown := 0
	if !ok {
		found = &group{}
		for _, e := range g.keys {
			found.by = append(found.by, e(r))
		}
		for _, a := range g.aggregations {
			found.accumulators = append(found.accumulators, a.start(a.percent))
		}
		g.groups[key], g.order = found, append(g.order, found)
		grown = 2*len(key) + recordOverhead + fieldOverhead*(len(g.keys)+2*len(g.aggregations))
	}
	at, _ := r.field("@timestamp").numeric()
	for i, a := range g.aggregations {
		v := numberValue(1)
		if a.argument != nil {
			v = a.argument(r)
		}
		if v.kind != absent {
			grown += found.accumulators[i].add(v, at)
		}
	}
	return g.run.keep(grown)
}

func (g *grouper) end() error {
	for _, one := range g.order {
		r := &record{now: g.run.now}
		for i, column := range g.by {
			r.set(column.name, one.by[i])
		}
		for _, a := range one.accumulators {
			r.slots = append(r.slots, a.result())
		}
		for _, column := range g.columns {
			r.set(column.name, column.of(r))
		}
		if err := g.next.add(r); err != nil {
			return err
		}
	}
	return g.next.end()
}
