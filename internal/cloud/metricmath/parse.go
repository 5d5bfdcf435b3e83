package metricmath

import (
	"regexp"
	"strconv"
	"strings"
)

// node is a part of an expression.
type node interface {
	eval(r *run) (value, error)
}

type (
	number    float64
	reference string // the id of a source
	list      []node // [m1, m2]
	call      struct {
		function
		name string
		args []node
	}
	binary struct {
		symbol      string
		left, right node
	}
	// word is the name of a way, such as REPEAT, and text a string. Functions read them; they
	// have no value.
	word string
	text string
)

// tokens of expressions. Quotation marks may be typographic, as in the guide's examples.
var tokenForm = regexp.MustCompile(`^(?:` +
	`(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)` + // 1: a number
	`|([a-z][a-zA-Z0-9_]*)` + // 2: an id
	`|([A-Z][A-Z0-9_]*)` + // 3: a function or word
	`|"([^"]*)"|'([^']*)'|“([^”]*)”` + // 4, 5, 6: strings
	`|(==|!=|<=|>=|&&|\|\||[-+*/^<>()\[\],]))`) // 7: symbols

// token is a part of an expression's text.
type token struct {
	kind int // the number of the group of tokenForm; 0: the end
	text string
}

const (
	endToken = iota
	numberToken
	idToken
	wordToken
	stringToken
	_
	_
	symbolToken
)

func tokenize(expression string) ([]token, error) {
	var out []token
	for rest := strings.TrimSpace(expression); rest != ""; {
		m := tokenForm.FindStringSubmatchIndex(rest)
		if m == nil {
			return nil, problemf("Unexpected character: %q", []rune(rest)[0])
		}
		for group := 1; group < len(m)/2; group++ {
			if m[2*group] < 0 {
				continue
			}
			t := token{group, rest[m[2*group]:m[2*group+1]]}
			if t.kind > stringToken && t.kind < symbolToken {
				t.kind = stringToken
			}
			if t.kind == wordToken && (t.text == "AND" || t.text == "OR") {
				t = token{symbolToken, map[string]string{"AND": "&&", "OR": "||"}[t.text]}
			}
			out = append(out, t)
			break
		}
		rest = strings.TrimSpace(rest[m[1]:])
	}
	return append(out, token{}), nil
}

// parser reads tokens by recursive descent.
type parser struct {
	tokens []token
	depth  int
}

// maxDepth bounds how deep expressions nest.
const maxDepth = 200

// parse returns the node of an expression.
func parse(expression string) (node, error) {
	tokens, err := tokenize(expression)
	if err != nil {
		return nil, err
	}
	if tokens[0] == (token{wordToken, "SELECT"}) {
		return nil, &UnsupportedError{"SELECT of Metrics Insights"}
	}
	p := &parser{tokens: tokens}
	n, err := p.operation(0)
	if err != nil {
		return nil, err
	}
	if p.tokens[0].kind != endToken {
		return nil, p.unexpected()
	}
	return n, nil
}

func (p *parser) unexpected() error {
	if p.tokens[0].kind == endToken {
		return problem("Unexpected end of the expression")
	}
	return problemf("Unexpected token: %s", p.tokens[0].text)
}

// advance goes to the next token.
func (p *parser) advance() {
	if p.tokens[0].kind != endToken {
		p.tokens = p.tokens[1:]
	}
}

// accept advances over a symbol, if it is next.
func (p *parser) accept(symbol string) bool {
	if p.tokens[0] != (token{symbolToken, symbol}) {
		return false
	}
	p.advance()
	return true
}

// levels are the binary operators from the weakest to the strongest. Those of a level bind
// from the left.
var levels = [][]string{{"||"}, {"&&"}, {"==", "!=", "<=", ">=", "<", ">"}, {"+", "-"}, {"*", "/"}}

// operation reads operators of a level and stronger ones.
func (p *parser) operation(level int) (node, error) {
	if level == len(levels) {
		return p.unary()
	}
	left, err := p.operation(level + 1)
	for err == nil {
		symbol := ""
		for _, s := range levels[level] {
			if p.accept(s) {
				symbol = s
				break
			}
		}
		if symbol == "" {
			break
		}
		var right node
		right, err = p.operation(level + 1)
		left = binary{symbol, left, right}
	}
	return left, err
}

// unary reads signs and powers, which bind from the right.
func (p *parser) unary() (node, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, problem("The expression is nested too deeply")
	}
	defer func() { p.depth-- }()
	if p.accept("-") {
		n, err := p.unary()
		return binary{"*", number(-1), n}, err
	}
	base, err := p.primary()
	if err != nil || !p.accept("^") {
		return base, err
	}
	exponent, err := p.unary()
	return binary{"^", base, exponent}, err
}

func (p *parser) primary() (node, error) {
	if p.accept("(") {
		n, err := p.operation(0)
		if err == nil && !p.accept(")") {
			err = p.unexpected()
		}
		return n, err
	}
	if p.accept("[") {
		nodes, err := p.list("]")
		return list(nodes), err
	}
	t := p.tokens[0]
	if t.kind == endToken || t.kind == symbolToken {
		return nil, p.unexpected()
	}
	p.advance()
	switch t.kind {
	case numberToken:
		v, err := strconv.ParseFloat(t.text, 64)
		return number(v), err
	case idToken:
		return reference(t.text), nil
	case stringToken:
		return text(t.text), nil
	}
	if !p.accept("(") {
		return word(t.text), nil
	}
	args, err := p.list(")")
	if err != nil {
		return nil, err
	}
	return newCall(t.text, args)
}

// list reads nodes up to the symbol that ends them.
func (p *parser) list(end string) (nodes []node, err error) {
	if p.accept(end) {
		return nil, nil
	}
	for {
		n, err := p.operation(0)
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, n)
		switch {
		case p.accept(end):
			return nodes, nil
		case !p.accept(","):
			return nil, p.unexpected()
		}
	}
}
