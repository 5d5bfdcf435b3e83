package messagefilter

import (
	"encoding/json"
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

// condition is one element of a property's list.
type condition struct {
	value  func(value any) bool // holds for a value, or for one of a list
	exists *bool                // in place of value: whether the property exists
}

// match reports whether the condition holds for a property.
func (c condition) match(value any, exists bool) bool {
	if c.exists != nil {
		_, isObject := value.(map[string]any)
		return *c.exists == (exists && !isObject)
	}
	if list, ok := value.([]any); ok {
		return slices.ContainsFunc(list, func(item any) bool { return c.match(item, true) })
	}
	return exists && c.value(value)
}

// parseCondition reads a value that must be equal, or an object with an operator. Its errors have the words of
// AWS.
func parseCondition(item any) (condition, error) {
	switch v := item.(type) {
	case string, json.Number, bool, nil:
		return condition{value: func(value any) bool { return equal(v, value) }}, nil
	case map[string]any:
		if len(v) != 1 {
			return condition{}, refuse("Only one key allowed in match expression")
		}
		for operator, operand := range v {
			return parseOperator(operator, operand)
		}
	}
	return condition{}, refuse("Match value must be String, number, true, false, or null")
}

// equal compares scalars. Numbers are equal if their values are.
func equal(want, got any) bool {
	if w, ok := numberOf(want); ok {
		g, ok := numberOf(got)
		return ok && w == g
	}
	switch got.(type) {
	case string, bool, nil:
		return want == got
	}
	return false
}

func numberOf(value any) (float64, bool) {
	number, ok := value.(json.Number)
	if !ok {
		return 0, false
	}
	f, err := number.Float64()
	return f, err == nil
}

func parseOperator(operator string, operand any) (condition, error) {
	switch operator {
	case "exists":
		want, ok := operand.(bool)
		if !ok {
			return condition{}, refuse("exists match pattern must be either true or false.")
		}
		return condition{exists: &want}, nil
	case "anything-but":
		return parseAnythingBut(operand)
	case "numeric":
		return parseNumeric(operand)
	}
	holds, known, err := textOperator(operator, operand)
	if !known {
		return condition{}, refuse("Unrecognized match type %s", operator)
	}
	return condition{value: holds}, err
}

// textOperator returns the condition of an operator with a text.
func textOperator(operator string, operand any) (holds func(value any) bool, known bool, err error) {
	operators := map[string]func(want, got string) bool{
		"prefix":             func(want, got string) bool { return strings.HasPrefix(got, want) },
		"suffix":             func(want, got string) bool { return strings.HasSuffix(got, want) },
		"equals-ignore-case": func(want, got string) bool { return strings.EqualFold(want, got) },
		"wildcard":           matchesWildcard,
		"cidr":               inNetwork,
	}
	matches, known := operators[operator]
	if !known {
		return nil, false, nil
	}
	want, ok := operand.(string)
	if !ok {
		return nil, true, refuse("%s match pattern must be a string", operator)
	}
	if _, invalid := netip.ParsePrefix(want); operator == "cidr" && invalid != nil {
		return nil, true, refuse("Malformed CIDR, one '/' required")
	}
	return func(value any) bool {
		got, ok := value.(string)
		return ok && matches(want, got)
	}, true, nil
}

// matchesWildcard matches a text with a pattern in which * stands for any characters.
func matchesWildcard(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	return regexp.MustCompile(`(?s)^` + strings.Join(parts, ".*") + `$`).MatchString(text)
}

func inNetwork(network, text string) bool {
	address, err := netip.ParseAddr(text)
	return err == nil && netip.MustParsePrefix(network).Contains(address)
}

// parseAnythingBut reads values or an operator that must not hold.
func parseAnythingBut(operand any) (condition, error) {
	var unwanted []func(value any) bool
	switch v := operand.(type) {
	case string, json.Number:
		unwanted = append(unwanted, func(value any) bool { return equal(v, value) })
	case []any:
		if len(v) == 0 {
			return condition{}, refuse("Anything-But list must not be empty.")
		}
		for _, item := range v {
			switch item.(type) {
			case string, json.Number:
				unwanted = append(unwanted, func(value any) bool { return equal(item, value) })
			default:
				return condition{}, refuse("Inside anything but list, start|null|boolean is not supported.")
			}
		}
	case map[string]any:
		for operator, text := range v {
			holds, known, err := textOperator(operator, text)
			if !known || len(v) != 1 || operator == "cidr" || operator == "equals-ignore-case" {
				return condition{}, refuse("Unsupported anything-but pattern: %s", operator)
			}
			if err != nil {
				return condition{}, err
			}
			unwanted = append(unwanted, holds)
		}
	default:
		return condition{}, refuse("Value of anything-but must be an array or single string/number value.")
	}
	return condition{value: func(value any) bool {
		return !slices.ContainsFunc(unwanted, func(holds func(any) bool) bool { return holds(value) })
	}}, nil
}

// comparisons are the operators of numbers.
var comparisons = map[string]func(got, want float64) bool{
	"=":  func(got, want float64) bool { return got == want },
	"<":  func(got, want float64) bool { return got < want },
	"<=": func(got, want float64) bool { return got <= want },
	">":  func(got, want float64) bool { return got > want },
	">=": func(got, want float64) bool { return got >= want },
}

// parseNumeric reads a comparison, or two that are the ends of a range.
func parseNumeric(operand any) (condition, error) {
	list, ok := operand.([]any)
	switch {
	case !ok:
		return condition{}, refuse("Value of numeric must be an array.")
	case len(list) == 0:
		return condition{}, refuse("Invalid member in numeric match: ]")
	}
	operator, ok := list[0].(string)
	if !ok {
		return condition{}, refuse("Invalid member in numeric match: %v", list[0])
	}
	compare, ok := comparisons[operator]
	if !ok {
		return condition{}, refuse("Unrecognized numeric range operator: %s", operator)
	}
	from, err := bound(list, operator)
	if err != nil {
		return condition{}, err
	}
	if len(list) == 2 {
		return condition{value: numeric(func(got float64) bool { return compare(got, from) })}, nil
	}
	if !strings.HasPrefix(operator, ">") {
		return condition{}, refuse("Too many elements in numeric expression")
	}
	return parseRange(list[2:], from, compare)
}

func parseRange(rest []any, from float64, above func(got, want float64) bool) (condition, error) {
	operator, ok := rest[0].(string)
	switch {
	case !ok:
		return condition{}, refuse("Bad value in numeric range: %v", rest[0])
	case operator != "<" && operator != "<=":
		return condition{}, refuse("Bad numeric range operator: %s", operator)
	}
	to, err := bound(rest, operator)
	switch {
	case err != nil:
		return condition{}, err
	case from >= to:
		return condition{}, refuse("Bottom must be less than top")
	case len(rest) > 2:
		return condition{}, refuse("Too many terms in numeric range expression")
	}
	below := comparisons[operator]
	return condition{value: numeric(func(got float64) bool { return above(got, from) && below(got, to) })}, nil
}

// bound returns the number behind an operator.
func bound(list []any, operator string) (float64, error) {
	if operator == "=" {
		operator = "equals"
	}
	if len(list) > 1 {
		if number, ok := numberOf(list[1]); ok {
			return number, nil
		}
	}
	return 0, refuse("Value of %s must be numeric", operator)
}

func numeric(holds func(got float64) bool) func(value any) bool {
	return func(value any) bool {
		got, ok := numberOf(value)
		return ok && holds(got)
	}
}
