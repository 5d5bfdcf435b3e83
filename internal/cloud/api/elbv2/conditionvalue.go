package elbv2

import (
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/cloud/store"
)

// matchValues holds what a condition compares with: either literal values with
// wildcards or regular expressions.
type matchValues struct{ values, regexes []string }

// readMatchValues reads a condition whose values may be in the condition itself, as older
// clients send them, or in its config. called is the config's name in error messages.
func readMatchValues(
	in types.RuleCondition, config *matchValues, called string, form *regexp.Regexp,
) (store.Condition, error) {
	field, given := *in.Field, matchValues{in.Values, in.RegexValues}
	if config != nil {
		switch {
		case len(in.Values) > 0:
			return store.Condition{}, invalid(
				"You cannot provide both Values and '%s' for a condition of type '%s'", called, field,
			)
		case len(in.RegexValues) > 0:
			return store.Condition{}, invalid(
				"You cannot provide both RegexValues and '%s' for a condition of type '%s'", called, field,
			)
		}
		given = *config
	}
	return given.read(field, form)
}

func (t matchValues) read(field string, form *regexp.Regexp) (store.Condition, error) {
	switch {
	case len(t.values) > 0 && len(t.regexes) > 0:
		return store.Condition{}, invalid(
			"You cannot provide both Values and RegexValues for a condition of type '%s'",
			field,
		)
	case len(t.values) == 0 && len(t.regexes) == 0:
		return store.Condition{}, invalid("A condition value must be specified")
	}
	for _, v := range t.values {
		if err := checkMatchValue(field, v, 128, form); err != nil {
			return store.Condition{}, err
		}
	}
	for _, v := range t.regexes {
		if err := checkMatchValue(field, v, 128, visible); err != nil {
			return store.Condition{}, err
		}
		if err := checkRegex(v); err != nil {
			return store.Condition{}, err
		}
	}
	return store.Condition{Values: t.values, Regexes: t.regexes}, nil
}

func checkMatchValue(called, v string, limit int, form *regexp.Regexp) error {
	switch {
	case v == "":
		return invalid("A condition value must be specified")
	case len(v) > limit:
		return invalid("The '%s' value is too long; the limit is '%d'", called, limit)
	case !form.MatchString(v):
		return invalid("Condition value '%s' contains a character that is not valid", v)
	}
	return nil
}

// checkRegex refuses expressions that AWS cannot evaluate. Lookaround,
// backreferences and recursion do not compile in Go either; Unicode classes would
// (Application Load Balancer guide, Listener rules: rule basics).
func checkRegex(v string) error {
	_, err := regexp.Compile(v)
	if err != nil || strings.Contains(v, `\p`) || strings.Contains(v, `\P`) {
		return invalid("Regular expression '%s' is not valid", v)
	}
	return nil
}

// wildcardsIn counts the wildcards in a condition's values. Methods and source IP
// addresses have none.
func wildcardsIn(c store.Condition) int {
	if c.Field == "http-request-method" || c.Field == "source-ip" {
		return 0
	}
	values := slices.Clone(c.Values)
	for _, p := range c.Pairs {
		values = append(values, p.Key, p.Value)
	}
	n := 0
	for _, v := range values {
		v = strings.NewReplacer(`\*`, "", `\?`, "").Replace(v)
		n += strings.Count(v, "*") + strings.Count(v, "?")
	}
	return n
}
