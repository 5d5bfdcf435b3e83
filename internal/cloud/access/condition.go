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

// met reports whether the request meets a condition, and whether it can be evaluated
// (IAM User Guide, "IAM JSON policy elements: Condition operators", "Set operators for
// multi-valued context keys").
func (s scope) met(c policydocument.Condition) (met, ok bool) {
	set, name := "", c.Operator
	if before, after, found := strings.Cut(c.Operator, ":"); found {
		set, name = strings.ToLower(before), after
	}
	name = strings.ToLower(name)
	values := s.facts[strings.ToLower(c.Key)]
	if name == "null" {
		return nullMet(c.Values, len(values) == 0)
	}
	name, ifExists := strings.CutSuffix(name, "ifexists")
	op, known := operators[name]
	switch {
	case !known, set != "" && set != "forallvalues" && set != "foranyvalue":
		return false, false
	case len(values) == 0 && (ifExists || set == "forallvalues"):
		return true, true
	case len(values) == 0:
		return op.negated && set == "", true
	}
	wanted, ok := s.expandAll(c.Values)
	if !ok {
		return false, false
	}
	// single reports whether one value of the request satisfies the operator.
	single := func(value string) bool {
		matched, understood := op.matchesAny(wanted, value)
		ok = ok && understood
		return matched != op.negated
	}
	// Every value is evaluated, so that ok does not depend on their order.
	satisfied := 0
	for _, value := range values {
		if single(value) {
			satisfied++
		}
	}
	if set == "forallvalues" || set == "" && op.negated {
		return satisfied == len(values), ok
	}
	return satisfied > 0, ok
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
