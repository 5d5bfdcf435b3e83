package logquery

import (
	"math"
	"regexp"
	"slices"
	"strings"
)

// expression is a compiled expression.
type expression func(r *record) value

// parser parses a query.
type parser struct {
	scanner
	query        *Query
	aggregations *[]aggregation // of the stats command whose columns are being parsed; nil: none may be used
	depth        int
}

// maxDepth is how deep expressions may be nested.
const maxDepth = 100

// reserved are the words that no field has as its name without quotes.
var reserved = []string{"and", "or", "not", "in", "like", "as", "by", "asc", "desc"}

// expression parses an expression: or binds least.
func (p *parser) expression() (expression, error) {
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > maxDepth {
		return nil, p.errorf("the expression is nested too deeply")
	}
	return p.chain(p.conjunction, func(a, b expression) expression {
		return func(r *record) value { return truth(a(r).true() || b(r).true()) }
	}, "or")
}

func (p *parser) conjunction() (expression, error) {
	return p.chain(p.negation, func(a, b expression) expression {
		return func(r *record) value { return truth(a(r).true() && b(r).true()) }
	}, "and")
}

// chain parses operands that a word joins.
func (p *parser) chain(
	operand func() (expression, error), join func(a, b expression) expression, word string,
) (expression, error) {
	left, err := operand()
	for err == nil && p.keyword(word) != "" {
		var right expression
		if right, err = operand(); err == nil {
			left = join(left, right)
		}
	}
	return left, err
}

func (p *parser) negation() (expression, error) {
	negated := false
	for p.keyword("not") != "" {
		negated = !negated
	}
	operand, err := p.comparison()
	if err != nil || !negated {
		return operand, err
	}
	return func(r *record) value { return truth(!operand(r).true()) }, nil
}

// comparisons are the operators that compare two values, in an order in which none is the start of a later one.
var comparisons = []struct {
	symbol string
	holds  func(order int) bool
}{
	{"!=", func(o int) bool { return o != 0 }}, {"<=", func(o int) bool { return o <= 0 }},
	{">=", func(o int) bool { return o >= 0 }}, {"<", func(o int) bool { return o < 0 }},
	{">", func(o int) bool { return o > 0 }}, {"=", func(o int) bool { return o == 0 }},
}

func (p *parser) comparison() (expression, error) {
	left, err := p.sum()
	if err != nil {
		return nil, err
	}
	if p.accept("=~") {
		return p.like(left, false)
	}
	for _, c := range comparisons {
		if p.accept(c.symbol) {
			right, err := p.sum()
			return func(r *record) value {
				a, b := left(r), right(r)
				return truth(a.kind != absent && b.kind != absent && c.holds(compare(a, b)))
			}, err
		}
	}
	start := p.pos
	negated := p.keyword("not") != ""
	switch {
	case p.keyword("like") != "":
		return p.like(left, negated)
	case p.keyword("in") != "":
		return p.in(left, negated)
	}
	p.pos = start
	return left, nil
}

// like parses the right side of like: part of a text, or a regular expression.
func (p *parser) like(left expression, negated bool) (expression, error) {
	form, err := p.regular()
	if err != nil {
		return nil, err
	}
	var matches func(text string) bool
	if form != nil {
		matches = form.MatchString
	} else {
		part, ok, err := p.quoted()
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, p.errorf("unexpected symbol found %s, expected a text or a regular expression", p.found())
		}
		matches = func(text string) bool { return strings.Contains(text, part) }
	}
	return func(r *record) value {
		v := left(r)
		return truth(v.kind != absent && matches(v.String()) != negated)
	}, nil
}

// in parses the right side of in: a list of values.
func (p *parser) in(left expression, negated bool) (expression, error) {
	if err := p.expect("["); err != nil {
		return nil, err
	}
	list, err := p.list("]")
	return func(r *record) value {
		v := left(r)
		found := slices.ContainsFunc(list, func(e expression) bool {
			other := e(r)
			return other.kind != absent && compare(v, other) == 0
		})
		return truth(v.kind != absent && found != negated)
	}, err
}

// list parses expressions, between which there are commas, and the symbol after them.
func (p *parser) list(end string) ([]expression, error) {
	var list []expression
	if p.accept(end) {
		return list, nil
	}
	for {
		e, err := p.expression()
		if err != nil {
			return nil, err
		}
		list = append(list, e)
		if !p.accept(",") {
			return list, p.expect(end)
		}
	}
}

// arithmetic are the operators of numbers by how tightly they bind: least first.
var arithmetic = [][]struct {
	symbol string
	apply  func(a, b float64) float64
}{
	{
		{"+", func(a, b float64) float64 { return a + b }},
		{"-", func(a, b float64) float64 { return a - b }},
	},
	{
		{"*", func(a, b float64) float64 { return a * b }},
		{"/", func(a, b float64) float64 { return a / b }},
		{"%", math.Mod},
	},
	{{"^", math.Pow}},
}

func (p *parser) sum() (expression, error) { return p.operation(0) }

// operation parses operands of the operators that bind at a level.
func (p *parser) operation(level int) (expression, error) {
	if level == len(arithmetic) {
		return p.sign()
	}
	left, err := p.operation(level + 1)
next:
	for err == nil {
		for _, operator := range arithmetic[level] {
			if p.accept(operator.symbol) {
				var right expression
				right, err = p.operation(level + 1)
				left = calculate(left, right, operator.apply)
				continue next
			}
		}
		break
	}
	return left, err
}

// calculate returns the expression of a calculation. Without two numbers, or without a result, it has no value.
func calculate(left, right expression, apply func(a, b float64) float64) expression {
	return func(r *record) value {
		a, ok := left(r).numeric()
		b, both := right(r).numeric()
		if !ok || !both {
			return value{}
		}
		return finite(apply(a, b))
	}
}

// finite returns a number, or no value for one that is none.
func finite(n float64) value {
	if math.IsNaN(n) || math.IsInf(n, 0) {
		return value{}
	}
	return numberValue(n)
}

func (p *parser) sign() (expression, error) {
	negative := false
	for p.accept("-") {
		negative = !negative
	}
	operand, err := p.primary()
	if err != nil || !negative {
		return operand, err
	}
	zero := func(*record) value { return numberValue(0) }
	return calculate(zero, operand, func(a, b float64) float64 { return a - b }), nil
}

func constant(v value) expression { return func(*record) value { return v } }

// primary parses a number, a text, a function, a field, or an expression in parentheses.
func (p *parser) primary() (expression, error) {
	if n, ok := p.digits(); ok {
		return constant(numberValue(n)), nil
	}
	if s, ok, err := p.quoted(); ok || err != nil {
		return constant(textValue(s)), err
	}
	if p.accept("(") {
		inner, err := p.expression()
		if err != nil {
			return nil, err
		}
		return inner, p.expect(")")
	}
	start := p.pos
	name, err := p.field()
	switch {
	case err != nil:
		return nil, err
	case name == "", isReserved(name):
		p.pos = start
		return nil, p.errorf("unexpected symbol found %s", p.found())
	case p.accept("("):
		return p.call(name, start)
	case name == "true", name == "false":
		return constant(truth(name == "true")), nil
	}
	return fieldExpression(name), nil
}

func isReserved(name string) bool {
	return slices.ContainsFunc(reserved, func(word string) bool { return strings.EqualFold(word, name) })
}

func fieldExpression(name string) expression { return func(r *record) value { return r.field(name) } }

// call parses the arguments of a function, whose name begins at start.
func (p *parser) call(name string, start int) (expression, error) {
	switch lower := strings.ToLower(name); lower {
	case "bin":
		period, err := p.period()
		if err == nil {
			err = p.expect(")")
		}
		return rounded(fieldExpression("@timestamp"), period, math.Floor), err
	case "datefloor":
		return p.round(math.Floor)
	case "dateceil":
		return p.round(math.Ceil)
	default:
		if aggregate, ok := aggregates[lower]; ok {
			return p.aggregate(aggregate, start)
		}
		f, known := functions[lower]
		if !known {
			p.pos = start
			return nil, p.errorf("unknown function %s", name)
		}
		list, err := p.list(")")
		if err != nil {
			return nil, err
		}
		if len(list) < f.least || f.most >= 0 && len(list) > f.most {
			p.pos = start
			return nil, p.errorf("wrong number of arguments for function %s", name)
		}
		return f.of(list), nil
	}
}

// round parses the arguments of datefloor and dateceil.
func (p *parser) round(to func(float64) float64) (expression, error) {
	of, err := p.expression()
	if err == nil {
		err = p.expect(",")
	}
	if err != nil {
		return nil, err
	}
	period, err := p.period()
	if err == nil {
		err = p.expect(")")
	}
	return rounded(of, period, to), err
}

// rounded returns a time that is rounded to a multiple of a period.
func rounded(of expression, period float64, to func(float64) float64) expression {
	return func(r *record) value {
		n, ok := of(r).numeric()
		if !ok {
			return value{}
		}
		return momentValue(to(n/period) * period)
	}
}

// globForm returns the regular expression of a pattern whose stars stand for the texts to extract.
func globForm(pattern string) (*regexp.Regexp, error) {
	parts := strings.Split(pattern, "*")
	for i, part := range parts {
		parts[i] = regexp.QuoteMeta(part)
	}
	form := "(?s)"
	if strings.HasPrefix(pattern, "*") {
		form += "^"
	}
	form += strings.Join(parts, "(.*?)")
	if strings.HasSuffix(pattern, "*") {
		form += "$"
	}
	return regexp.Compile(form)
}
