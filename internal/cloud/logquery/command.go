package logquery

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// column is an expression with the name of its field in results.
type column struct {
	name string
	of   expression
}

// unsupported are the commands of AWS that are not here.
var unsupported = []string{
	"pattern", "diff", "unmask", "unnest", "anomaly", "filterIndex", "source", "lookup", "join", "subquery",
	"addtotals",
}

// Parse parses a query. The error is a *SyntaxError.
func Parse(text string) (*Query, error) {
	p := &parser{scanner: scanner{text: text}, query: &Query{}}
	if p.done() {
		return nil, p.errorf("the query is empty")
	}
	for {
		if err := p.command(); err != nil {
			return nil, err
		}
		if p.done() {
			break
		}
		if err := p.expect("|"); err != nil {
			return nil, err
		}
	}
	if p.query.columns == nil {
		p.query.columns = named([]column{{name: "@timestamp"}, {name: "@message"}})
	}
	return p.query, nil
}

func (p *parser) command() error {
	if n := len(p.query.commands); n > 0 {
		if _, ok := p.query.commands[n-1].(dedupCommand); ok && !strings.EqualFold(p.word(), "limit") {
			return p.errorf("unexpected symbol found %s: only limit may follow dedup", p.found())
		}
	}
	switch p.keyword("fields", "display", "filter", "parse", "stats", "sort", "limit", "head", "dedup") {
	case "fields":
		return p.fields()
	case "display":
		return p.display()
	case "filter":
		condition, err := p.expression()
		p.then(filterCommand(condition))
		return err
	case "parse":
		return p.parse()
	case "stats":
		return p.stats()
	case "sort":
		return p.sort()
	case "limit", "head":
		return p.limit()
	case "dedup":
		return p.dedup()
	}
	if word := p.word(); slices.ContainsFunc(unsupported, func(u string) bool { return strings.EqualFold(u, word) }) {
		return p.errorf("the command %s is not supported by the local cloud", word)
	}
	return p.errorf("unexpected symbol found %s, expected a command", p.found())
}

func (p *parser) then(c command) { p.query.commands = append(p.query.commands, c) }

// column parses an expression and its name, which without "as" is its text.
func (p *parser) column() (c column, err error) {
	p.space()
	start := p.pos
	if c, ok := p.result(); ok {
		return c, nil
	}
	if c.of, err = p.expression(); err != nil {
		return c, err
	}
	c.name = strings.ReplaceAll(strings.TrimSpace(p.text[start:p.pos]), "`", "")
	if p.keyword("as") != "" {
		c.name, err = p.alias()
	}
	return c, err
}

// result consumes the name of a column of stats that is no name of a field, such as count(*).
func (p *parser) result() (column, bool) {
	if !p.query.grouped || p.aggregations != nil {
		return column{}, false
	}
	for _, c := range p.query.columns {
		if rest, ok := strings.CutPrefix(p.text[p.pos:], c.name); ok && strings.HasSuffix(c.name, ")") {
			if next := strings.TrimLeft(rest, " \t\r\n"); next == "" || strings.ContainsRune("|,ad", rune(next[0])) {
				p.pos += len(c.name)
				return column{c.name, fieldExpression(c.name)}, true
			}
		}
	}
	return column{}, false
}

func (p *parser) alias() (string, error) {
	start := p.pos
	name, err := p.field()
	if err == nil && (name == "" || isReserved(name)) {
		p.pos = start
		err = p.errorf("unexpected symbol found %s, expected a name", p.found())
	}
	return name, err
}

// columns parses columns, between which there are commas.
func (p *parser) columns() (all []column, err error) {
	for {
		c, err := p.column()
		if err != nil {
			return nil, err
		}
		all = append(all, c)
		if !p.accept(",") {
			return all, nil
		}
	}
}

// fieldsCommand adds fields to records.
type fieldsCommand []column

func (p *parser) fields() error {
	all, err := p.columns()
	p.then(fieldsCommand(all))
	p.query.columns = append(p.query.columns, named(all)...)
	return err
}

// display parses the fields of results. It takes the place of those before it.
func (p *parser) display() error {
	all, err := p.columns()
	p.then(fieldsCommand(all))
	p.query.columns = named(all)
	return err
}

// filterCommand keeps the records for which a condition is true.
type filterCommand expression

// parseCommand extracts parts of a text.
type parseCommand struct {
	of    expression
	match func(text string) []string // the parts, or nil
	names []string
}

func (p *parser) parse() error {
	c := &parseCommand{of: fieldExpression("@message")}
	form, err := p.pattern()
	if err == nil && form == nil {
		if c.of, err = p.primary(); err != nil {
			return err
		}
		form, err = p.pattern()
	}
	if err != nil {
		return err
	}
	if form == nil {
		return p.errorf("unexpected symbol found %s, expected a pattern", p.found())
	}
	c.names, c.match = form.SubexpNames()[1:], form.FindStringSubmatch
	if p.keyword("as") != "" {
		if c.names, err = p.aliases(); err != nil {
			return err
		}
	}
	if len(c.names) != form.NumSubexp() || len(c.names) == 0 || slices.Contains(c.names, "") {
		return p.errorf("the pattern extracts %d parts, but %d have names", form.NumSubexp(), len(c.names))
	}
	p.then(c)
	return nil
}

// pattern parses a pattern with stars or a regular expression, and returns nil if there is none.
func (p *parser) pattern() (*regexp.Regexp, error) {
	glob, ok, err := p.quoted()
	if err != nil || !ok {
		form, wrong := p.regular()
		return form, cmp.Or(err, wrong)
	}
	form, err := globForm(glob)
	if err != nil {
		return nil, p.errorf("invalid pattern: %v", err)
	}
	return form, nil
}

func (p *parser) aliases() (names []string, err error) {
	for {
		name, err := p.alias()
		if err != nil {
			return nil, err
		}
		names = append(names, name)
		if !p.accept(",") {
			return names, nil
		}
	}
}

// statsCommand aggregates records by group.
type statsCommand struct {
	columns      []column
	by           []column
	aggregations []aggregation
}

// maxStats is how many stats commands a query may have.
const maxStats = 2

func (p *parser) stats() error {
	used := 0
	for _, c := range p.query.commands {
		switch c.(type) {
		case *statsCommand:
			used++
		case *sortCommand, limitCommand:
			return p.errorf("stats must come before sort and limit")
		}
	}
	if used == maxStats {
		return p.errorf("a query may have at most %d stats commands", maxStats)
	}
	c := &statsCommand{}
	p.aggregations = &c.aggregations
	var err error
	c.columns, err = p.columns()
	p.aggregations = nil
	if err == nil && p.keyword("by") != "" {
		c.by, err = p.columns()
	}
	if err != nil {
		return err
	}
	if len(c.aggregations) == 0 {
		return p.errorf("stats needs an aggregation")
	}
	p.then(c)
	p.query.grouped, p.query.columns = true, named(slices.Concat(c.by, c.columns))
	return nil
}

// named returns the columns of results that show fields with the names of columns.
func named(columns []column) []column {
	var out []column
	for _, c := range columns {
		out = append(out, column{c.name, fieldExpression(c.name)})
	}
	return out
}

// sortCommand orders records.
type sortCommand struct {
	by         []expression
	descending []bool
	most       int // of the records that are needed; 0: all
}

func (p *parser) sort() error {
	c := &sortCommand{}
	for {
		key, err := p.column()
		if err != nil {
			return err
		}
		c.by = append(c.by, key.of)
		c.descending = append(c.descending, p.keyword("asc", "desc") == "desc")
		if !p.accept(",") {
			break
		}
	}
	p.then(c)
	return nil
}

type limitCommand int

func (p *parser) limit() error {
	digits := p.word()
	n, err := strconv.Atoi(digits)
	if err != nil || n < 1 || n > MaxResults {
		return p.errorf("unexpected symbol found %s, expected a number from 1 to %d", p.found(), MaxResults)
	}
	p.pos += len(digits)
	if last := len(p.query.commands) - 1; last >= 0 {
		if c, ok := p.query.commands[last].(*sortCommand); ok {
			c.most = n
		}
	}
	p.then(limitCommand(n))
	return nil
}

// dedupCommand keeps the first record with some values.
type dedupCommand []expression

func (p *parser) dedup() error {
	all, err := p.columns()
	var by []expression
	for _, c := range all {
		by = append(by, c.of)
	}
	p.then(dedupCommand(by))
	return err
}
