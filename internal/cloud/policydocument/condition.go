package policydocument

import (
	"slices"
	"strings"
)

// operators are the names of condition operators without what may surround them (IAM
// User Guide, "IAM JSON policy elements: Condition operators").
var operators = []string{
	"StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike",
	"StringNotLike", "NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals",
	"NumericGreaterThan", "NumericGreaterThanEquals", "DateEquals", "DateNotEquals", "DateLessThan",
	"DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals", "Bool", "BinaryEquals", "IpAddress",
	"NotIpAddress", "ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike", "Null",
}

// SplitOperator returns the parts of an operator of a valid document: the set operator
// ("ForAllValues", "ForAnyValue" or ""), the name, and whether IfExists follows.
func SplitOperator(operator string) (set, name string, ifExists bool) {
	set, name, found := strings.Cut(operator, ":")
	if !found {
		set, name = "", operator
	}
	name, ifExists = strings.CutSuffix(name, "IfExists")
	return set, name, ifExists
}

func validOperator(operator string) bool {
	set, name, ifExists := SplitOperator(operator)
	if strings.HasPrefix(operator, ":") || name == "Null" && ifExists {
		return false
	}
	return slices.Contains([]string{"", "ForAllValues", "ForAnyValue"}, set) && slices.Contains(operators, name)
}

// conditions parses Condition.
func (p *parser) conditions(value []byte) ([]Condition, error) {
	members, err := object(value)
	if err != nil {
		return nil, p.syntax("Condition %v", err)
	}
	var out []Condition
	for _, operator := range members {
		if !validOperator(operator.name) {
			return nil, p.syntax("Invalid Condition type : %s.", operator.name)
		}
		keys, err := object(operator.value)
		if err != nil {
			return nil, p.syntax("Condition %s %v", operator.name, err)
		}
		for _, key := range keys {
			condition, err := p.condition(operator.name, key)
			if err != nil {
				return nil, err
			}
			out = append(out, condition)
		}
	}
	return out, nil
}

// condition parses the values of one key.
func (p *parser) condition(operator string, key member) (Condition, error) {
	values, ok := scalarsOf(key.value)
	if !ok {
		return Condition{}, p.syntax("Condition %s of %s must have a value or a list of values.", operator, key.name)
	}
	if !strings.Contains(key.name, ":") {
		return Condition{}, refuse("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc. "+
			"The condition key %q is not.", key.name)
	}
	return Condition{Operator: operator, Key: key.name, Values: values}, nil
}
