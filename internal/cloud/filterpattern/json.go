package filterpattern

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// condition reports whether it holds for a message's JSON.
type condition func(document any) bool

func matchJSON(c condition, message string) bool {
	document, ok := documentOf(message)
	return ok && c(document)
}

// documentOf returns the JSON of a message.
func documentOf(message string) (document any, ok bool) {
	decoder := json.NewDecoder(strings.NewReader(message))
	decoder.UseNumber()
	return document, decoder.Decode(&document) == nil && !decoder.More()
}

// maxDepth bounds parentheses within parentheses.
const maxDepth = 100

// parser reads conditions about the properties of a document.
type parser struct {
	rest     string
	depth    int
	words    *regexp.Regexp // values without quotation marks
	property func() ([]step, error)
}

func parseJSON(text string) (Pattern, error) {
	p := parser{rest: strings.TrimPrefix(text, "{"), words: wordForm}
	selectors := map[string][]step{}
	p.property = func() ([]step, error) {
		p.space()
		before := p.rest
		path, err := p.selector()
		if err == nil {
			selectors[strings.TrimSpace(strings.TrimSuffix(before, p.rest))] = path
		}
		return path, err
	}
	c, err := p.either()
	if err == nil && (!p.accept("}") || p.rest != "") {
		err = fmt.Errorf("unexpected %q in the filter pattern", p.rest)
	}
	return Pattern{json: c, selectors: selectors}, err
}

func (p *parser) space() { p.rest = strings.TrimLeft(p.rest, " \t\r\n") }

// accept reads a token if it is the next one.
func (p *parser) accept(token string) bool {
	p.space()
	rest, ok := strings.CutPrefix(p.rest, token)
	if ok {
		p.rest = rest
	}
	return ok
}

// either reads conditions joined by ||.
func (p *parser) either() (condition, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, errors.New("the filter pattern has too many parentheses")
	}
	defer func() { p.depth-- }()
	left, err := p.both()
	for err == nil && p.accept("||") {
		var right condition
		first := left
		right, err = p.both()
		left = func(d any) bool { return first(d) || right(d) }
	}
	return left, err
}

// both reads conditions joined by &&.
func (p *parser) both() (condition, error) {
	left, err := p.one()
	for err == nil && p.accept("&&") {
		var right condition
		first := left
		right, err = p.one()
		left = func(d any) bool { return first(d) && right(d) }
	}
	return left, err
}

// one reads a condition in parentheses or about one property.
func (p *parser) one() (condition, error) {
	if p.accept("(") {
		c, err := p.either()
		if err == nil && !p.accept(")") {
			err = errors.New("the filter pattern has an unclosed parenthesis")
		}
		return c, err
	}
	path, err := p.property()
	if err != nil {
		return nil, err
	}
	matches, err := p.test()
	if err != nil {
		return nil, err
	}
	return func(d any) bool { return matches(find(d, path)) }, nil
}

// step is a part of a selector: the name of a property, or the index of an element.
type step struct {
	name    string
	index   int
	isIndex bool
}

var (
	nameForm  = regexp.MustCompile(`^\.([A-Za-z0-9_\-]+)`)
	quoteForm = regexp.MustCompile(`^\[\s*['"]([^'"]+)['"]\s*\]`)
	indexForm = regexp.MustCompile(`^\[(\d{1,9})\]`)
)

// selector reads $.property, $.list[0] and $.['property'].
func (p *parser) selector() (path []step, err error) {
	if !p.accept("$") {
		return nil, fmt.Errorf("expected a selector that starts with $ at %q in the filter pattern", p.rest)
	}
	for {
		if strings.HasPrefix(p.rest, ".[") {
			p.rest = p.rest[1:]
		}
		switch {
		case p.next(nameForm, func(name string) { path = append(path, step{name: name}) }):
		case p.next(quoteForm, func(name string) { path = append(path, step{name: name}) }):
		case p.next(indexForm, func(digits string) {
			index, _ := strconv.Atoi(digits) // at most nine digits
			path = append(path, step{index: index, isIndex: true})
		}):
		case len(path) == 0:
			return nil, errors.New("a selector of the filter pattern names no property")
		default:
			return path, nil
		}
	}
}

// next calls found with the group of a form if the rest starts with it.
func (p *parser) next(form *regexp.Regexp, found func(string)) bool {
	m := form.FindStringSubmatch(p.rest)
	if m == nil {
		return false
	}
	p.rest = p.rest[len(m[0]):]
	found(m[1])
	return true
}

// missing is the value of a property that does not exist.
type missing struct{}

func find(document any, path []step) any {
	for _, s := range path {
		switch value := document.(type) {
		case map[string]any:
			child, ok := value[s.name]
			if s.isIndex || !ok {
				return missing{}
			}
			document = child
		case []any:
			if !s.isIndex || s.index >= len(value) {
				return missing{}
			}
			document = value[s.index]
		default:
			return missing{}
		}
	}
	return document
}

// test reads what must hold for a property's value.
func (p *parser) test() (func(value any) bool, error) {
	for _, word := range []struct {
		text string
		want any
	}{{"IS NULL", nil}, {"IS TRUE", true}, {"IS FALSE", false}, {"NOT EXISTS", missing{}}} {
		if p.accept(word.text) {
			return func(value any) bool { return isScalar(value) && value == word.want }, nil
		}
	}
	for _, operator := range []string{"!=", ">=", "<=", "=", ">", "<"} {
		if p.accept(operator) {
			return p.operand(operator)
		}
	}
	return nil, fmt.Errorf("expected an operator at %q in the filter pattern", p.rest)
}

// isScalar reports whether a value of JSON is no list and no object.
func isScalar(value any) bool {
	switch value.(type) {
	case map[string]any, []any:
		return false
	}
	return true
}

// operand reads the value that an operator compares with.
func (p *parser) operand(operator string) (func(value any) bool, error) {
	p.space()
	if operator != "=" && operator != "!=" {
		return p.number(operator)
	}
	equals, err := p.equal()
	if err != nil || operator == "=" {
		return equals, err
	}
	return func(value any) bool { return value != missing{} && isScalar(value) && !equals(value) }, nil
}

var (
	numberForm = regexp.MustCompile(`^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?`)
	wordForm   = regexp.MustCompile(`^[^\s"%(){}&|]+`)
)

// equal reads a text, which may contain * for any characters, a number or an expression.
func (p *parser) equal() (func(value any) bool, error) {
	switch {
	case strings.HasPrefix(p.rest, `"`):
		text, rest, err := unquote(p.rest)
		p.rest = rest
		return matchesText(text), err
	case strings.HasPrefix(p.rest, "%"):
		expression, rest, err := parseExpression(p.rest)
		p.rest = rest
		return func(value any) bool { return expression != nil && expression.MatchString(textOf(value)) }, err
	}
	word := p.words.FindString(p.rest)
	if word == "" {
		return nil, fmt.Errorf("expected a value at %q in the filter pattern", p.rest)
	}
	p.rest = p.rest[len(word):]
	text := matchesText(word)
	want, err := strconv.ParseFloat(word, 64)
	if err != nil {
		return text, nil
	}
	return func(value any) bool {
		number, ok := numberOf(value)
		return ok && number == want || text(value)
	}, nil
}

// matchesText returns the comparison of texts and numbers with a text.
func matchesText(text string) func(value any) bool {
	parts := strings.Split(text, "*")
	for i, part := range parts {
		parts[i] = regexp.QuoteMeta(part)
	}
	form := regexp.MustCompile(`(?s)^` + strings.Join(parts, `.*`) + `$`)
	return func(value any) bool {
		switch value.(type) {
		case string, json.Number:
			return form.MatchString(textOf(value))
		}
		return false
	}
}

func textOf(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return ""
}

func numberOf(value any) (float64, bool) {
	number, ok := value.(json.Number)
	if !ok {
		return 0, false
	}
	f, err := number.Float64()
	return f, err == nil
}

// number reads a number that values are compared with.
func (p *parser) number(operator string) (func(value any) bool, error) {
	text := numberForm.FindString(p.rest)
	want, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return nil, fmt.Errorf("expected a number at %q in the filter pattern", p.rest)
	}
	p.rest = p.rest[len(text):]
	return func(value any) bool {
		number, ok := numberOf(value)
		if !ok {
			return false
		}
		switch operator {
		case ">=":
			return number >= want
		case "<=":
			return number <= want
		case ">":
			return number > want
		}
		return number < want
	}, nil
}
