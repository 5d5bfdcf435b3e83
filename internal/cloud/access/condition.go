package access

import (
	"slices"
	"strings"

	"aloft.dev/aloft/internal/cloud/policydocument"
)

// meets reports whether the request meets all conditions of a statement. A condition
// that cannot be evaluated counts as met in a denial and as not met in an allowance.
func (s scope) meets(statement *policydocument.Statement) bool {
	for _, c := range statement.Conditions {
		met, ok := s.met(c)
		if !ok {
			met = !statement.Allow
		}
		if !met {
			return false
		}
	}
	return true
}

// The set operators (IAM User Guide, "Set operators for multi-valued context keys").
const (
	forAll = "forallvalues"
	forAny = "foranyvalue"
)

// met reports whether the request meets a condition, and whether it can be evaluated
// (IAM User Guide, "IAM JSON policy elements: Condition operators").
func (s scope) met(c policydocument.Condition) (met, ok bool) {
	set, name, ifExists := policydocument.SplitOperator(c.Operator)
	set, name = strings.ToLower(set), strings.ToLower(name)
	values, modelled := s.of(c.Key)
	if !modelled {
		return false, false
	}
	if name == "null" {
		return nullMet(c.Values, len(values) == 0)
	}
	op, known := operators[name]
	if !known || set != "" && set != forAll && set != forAny {
		return false, false
	}
	if len(values) == 0 {
		// Without a key, an operator that asks for a difference is met, and one that asks
		// for all values is too.
		return ifExists || set == forAll || op.negated && set == "", true
	}
	wanted, ok := s.expandAll(c.Values)
	if !ok {
		return false, false
	}
	satisfied, ok := op.satisfied(wanted, values)
	if set == forAll || set == "" && op.negated {
		return satisfied == len(values), ok
	}
	return satisfied > 0, ok
}

// satisfied returns how many values of the request satisfy the operator, and whether all
// of them can be compared.
func (o operator) satisfied(wanted []pattern, values []string) (count int, ok bool) {
	ok = true
	for _, value := range values {
		matched, understood := o.matchesAny(wanted, value)
		ok = ok && understood
		if matched != o.negated {
			count++
		}
	}
	return count, ok
}

// nullMet evaluates the operator Null, which asks whether a key is absent.
func nullMet(wanted []string, absent bool) (met, ok bool) {
	for _, text := range wanted {
		want, known := boolean(text)
		if !known {
			return false, false
		}
		met = met || want == absent
	}
	return met, true
}

// expandAll expands a condition's values.
func (s scope) expandAll(values []string) ([]pattern, bool) {
	patterns := make([]pattern, 0, len(values))
	for _, text := range values {
		p, ok := s.expand(text)
		if !ok {
			return nil, false
		}
		patterns = append(patterns, p)
	}
	return patterns, true
}

// matchesAny reports whether a value of the request matches one of the policy's values,
// and whether all of them can be compared.
func (o operator) matchesAny(wanted []pattern, value string) (matched, ok bool) {
	ok = !slices.ContainsFunc(wanted, func(p pattern) bool {
		match, understood := o.match(p, value)
		matched = matched || match
		return !understood
	})
	return matched, ok
}
