package alarm

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"aloft.dev/aloft/internal/cloud/identity"
)

// Limits of a rule (Amazon CloudWatch API Reference, PutCompositeAlarm).
const (
	maxChildren = 100
	maxElements = 500 // alarms, TRUE, FALSE and pairs of parentheses
)

// Rule is the rule of a composite alarm: an expression of the states of other alarms, its
// children.
type Rule struct {
	root     condition
	Children []string // names, each once, in the order of the rule
}

// Holds reports whether the rule is true when its children have the states that state
// returns by their names.
func (r Rule) Holds(state func(name string) string) bool { return r.root(state) }

// condition is a part of a rule.
type condition func(state func(name string) string) bool

// ErrAtLeast is the error of a rule that counts alarms.
var ErrAtLeast = errors.New("rules that count alarms (AT_LEAST)")

// ParseRule reads a rule for an alarm in a region. Names may be ARNs of alarms of the region.
// NOT binds more closely than AND, and AND more closely than OR.
func ParseRule(region identity.Region, text string) (Rule, error) {
	p := ruleParser{region: region, rest: text}
	root, err := p.alternatives()
	if err != nil {
		return Rule{}, err
	}
	p.skipSpace()
	switch {
	case p.rest != "":
		return Rule{}, fmt.Errorf("unexpected %q", p.rest)
	case len(p.children) > maxChildren:
		return Rule{}, fmt.Errorf("a rule refers to at most %d alarms", maxChildren)
	case p.elements > maxElements:
		return Rule{}, fmt.Errorf("a rule has at most %d elements", maxElements)
	}
	return Rule{root, p.children}, nil
}

// ruleParser reads a rule from its beginning.
type ruleParser struct {
	region   identity.Region
	rest     string
	children []string
	elements int
	depth    int // of open parentheses
}

func (p *ruleParser) skipSpace() { p.rest = strings.TrimLeft(p.rest, " \t\r\n") }

// word reads a word if the next one is any of words, in any case.
func (p *ruleParser) word(words ...string) (string, bool) {
	p.skipSpace()
	n := strings.IndexFunc(p.rest, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) })
	if n < 0 {
		n = len(p.rest)
	}
	next := strings.ToUpper(p.rest[:n])
	if !slices.Contains(words, next) {
		return "", false
	}
	p.rest = p.rest[n:]
	return next, true
}

// symbol reads a symbol if it is next.
func (p *ruleParser) symbol(s string) bool {
	p.skipSpace()
	rest, found := strings.CutPrefix(p.rest, s)
	p.rest = rest
	return found
}

// alternatives reads conditions between which there is OR.
func (p *ruleParser) alternatives() (condition, error) {
	return p.joined("OR", p.conjunction, func(a, b condition) condition {
		return func(state func(string) string) bool { return a(state) || b(state) }
	})
}

// conjunction reads conditions between which there is AND.
func (p *ruleParser) conjunction() (condition, error) {
	return p.joined("AND", p.negation, func(a, b condition) condition {
		return func(state func(string) string) bool { return a(state) && b(state) }
	})
}

// joined reads conditions with an operator between them.
func (p *ruleParser) joined(
	operator string, read func() (condition, error), join func(a, b condition) condition,
) (condition, error) {
	left, err := read()
	for err == nil {
		if _, more := p.word(operator); !more {
			return left, nil
		}
		var right condition
		if right, err = read(); err == nil {
			left = join(left, right)
		}
	}
	return nil, err
}

func (p *ruleParser) negation() (condition, error) {
	negated := false
	for {
		if _, found := p.word("NOT"); !found {
			break
		}
		negated = !negated
	}
	inner, err := p.primary()
	if err != nil || !negated {
		return inner, err
	}
	return func(state func(string) string) bool { return !inner(state) }, nil
}

// primary reads a constant, a state of an alarm, or a rule in parentheses.
func (p *ruleParser) primary() (condition, error) {
	p.elements++
	if p.symbol("(") {
		if p.depth++; p.depth > maxElements {
			return nil, fmt.Errorf("a rule has at most %d elements", maxElements)
		}
		inner, err := p.alternatives()
		if err == nil && !p.symbol(")") {
			err = p.expected(")")
		}
		p.depth--
		return inner, err
	}
	word, found := p.word("TRUE", "FALSE", InAlarm, OK, InsufficientData, "AT_LEAST")
	switch {
	case !found:
		return nil, p.expected("a function of an alarm's state, TRUE, FALSE, NOT or (")
	case word == "TRUE", word == "FALSE":
		return func(func(string) string) bool { return word == "TRUE" }, nil
	case word == "AT_LEAST":
		return nil, ErrAtLeast
	case !p.symbol("("):
		return nil, p.expected("(")
	}
	name, err := p.alarm()
	if err != nil {
		return nil, err
	}
	if !slices.Contains(p.children, name) {
		p.children = append(p.children, name)
	}
	return func(state func(string) string) bool { return state(name) == word }, nil
}

// alarm reads the name or ARN of an alarm, in quotation marks or not, and the parenthesis
// after it.
func (p *ruleParser) alarm() (string, error) {
	var name string
	if p.symbol(`"`) {
		var closed bool
		if name, p.rest, closed = strings.Cut(p.rest, `"`); !closed {
			return "", p.expected(`"`)
		}
	} else {
		n := strings.IndexByte(p.rest, ')')
		if n < 0 {
			return "", p.expected(")")
		}
		name, p.rest = strings.TrimSpace(p.rest[:n]), p.rest[n:]
		if strings.ContainsAny(name, " \t\r\n(") {
			return "", fmt.Errorf("the alarm name %q must be in quotation marks", name)
		}
	}
	if !p.symbol(")") {
		return "", p.expected(")")
	}
	return NameIn(p.region, name)
}

// NameIn returns the name of an alarm of a region that is given by its name or ARN.
func NameIn(region identity.Region, nameOrARN string) (string, error) {
	name := strings.TrimPrefix(nameOrARN, ARN(region, ""))
	if name == "" || strings.HasPrefix(name, "arn:") {
		return "", fmt.Errorf("%q is no alarm of this account and Region", nameOrARN)
	}
	return name, nil
}

func (p *ruleParser) expected(what string) error {
	p.skipSpace()
	if p.rest == "" {
		return fmt.Errorf("%s is missing at the end", what)
	}
	return fmt.Errorf("%s is missing before %q", what, p.rest)
}
