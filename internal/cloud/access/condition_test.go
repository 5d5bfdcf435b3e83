package access_test

import (
	"fmt"
	"testing"

	"aloft.dev/aloft/internal/cloud/access"
	"aloft.dev/aloft/internal/cloud/policydocument"
)

// at is a context with one key.
func at(values ...string) map[string][]string { return map[string][]string{"aws:Key": values} }

func TestConditionOperators(t *testing.T) {
	for _, test := range []struct {
		operator string
		values   []string
		context  map[string][]string
		want     bool
	}{
		{"StringEquals", []string{"a", "b"}, at("b"), true},
		{"StringEquals", []string{"a*"}, at("ab"), false},
		{"StringEquals", []string{"a*"}, at("a*"), true},
		{"StringEquals", []string{"a"}, nil, false},
		{"StringEquals", []string{"a"}, at("A"), false},
		{"StringEqualsIfExists", []string{"a"}, nil, true},
		{"StringEqualsIfExists", []string{"a"}, at("b"), false},
		{"StringNotEquals", []string{"a", "b"}, at("c"), true},
		{"StringNotEquals", []string{"a", "b"}, at("b"), false},
		{"StringNotEquals", []string{"a"}, nil, true},
		{"StringNotEquals", []string{"a"}, at("b", "a"), false},
		{"StringEqualsIgnoreCase", []string{"aB"}, at("Ab"), true},
		{"StringNotEqualsIgnoreCase", []string{"aB"}, at("Ab"), false},
		{"StringLike", []string{"a*c?"}, at("abbcd"), true},
		{"StringLike", []string{"a*c?"}, at("abbc"), false},
		{"StringNotLike", []string{"a*"}, at("b"), true},
		{"NumericEquals", []string{"5"}, at("5.0"), true},
		{"NumericNotEquals", []string{"5"}, at("5"), false},
		{"NumericLessThan", []string{"5"}, at("4.9"), true},
		{"NumericLessThan", []string{"5"}, at("5"), false},
		{"NumericLessThanEquals", []string{"5"}, at("5"), true},
		{"NumericGreaterThan", []string{"5"}, at("6"), true},
		{"NumericGreaterThanEquals", []string{"5"}, at("4"), false},
		{"NumericLessThan", []string{"x"}, at("4"), false},
		{"NumericNotEquals", []string{"x"}, at("4"), false},
		{"NumericLessThan", []string{"NaN"}, at("4"), false},
		{"DateGreaterThan", []string{"2026-01-01T00:00:00Z"}, at("2026-01-01T00:00:01Z"), true},
		{"DateLessThan", []string{"2026-01-01"}, at("2026-01-01T00:00:01Z"), false},
		{"DateEquals", []string{"1767225600"}, at("2026-01-01T00:00:00Z"), true},
		{"DateNotEquals", []string{"yesterday"}, at("2026-01-01T00:00:00Z"), false},
		{"DateLessThanEquals", []string{"2026-01-01T01:00:00+01:00"}, at("1767225600"), true},
		{"DateGreaterThanEquals", []string{"2026-01-01"}, at("2025-12-31T23:59:59Z"), false},
		{"Bool", []string{"True"}, at("true"), true},
		{"Bool", []string{"false"}, at("true"), false},
		{"Bool", []string{"maybe"}, at("true"), false},
		{"BinaryEquals", []string{"QUJD"}, at("QUJD"), true},
		{"BinaryEquals", []string{"QUJD"}, at("QUJE"), false},
		{"IpAddress", []string{"10.0.0.0/8"}, at("10.1.2.3"), true},
		{"IpAddress", []string{"10.0.0.0/8", "::1"}, at("::1"), true},
		{"IpAddress", []string{"10.0.0.0/8"}, at("::ffff:10.1.2.3"), true},
		{"IpAddress", []string{"10.0.0.0/33"}, at("10.1.2.3"), false},
		{"NotIpAddress", []string{"10.0.0.0/8"}, at("11.1.2.3"), true},
		{"NotIpAddress", []string{"10.0.0.0/8"}, at("10.1.2.3"), false},
		{"NotIpAddress", []string{"10.0.0.0/8"}, at("localhost"), false},
		{"ArnEquals", []string{"arn:aws:iam::*:role/a*"}, at("arn:aws:iam::1:role/ab"), true},
		{"ArnLike", []string{"arn:aws:*:role/a"}, at("arn:aws:iam::1:role/a"), false},
		{"ArnLike", []string{"arn:aws:iam::1:*"}, at("arn:aws:iam::1:role/a:b"), true},
		{"ArnNotEquals", []string{"arn:aws:iam::1:role/a"}, at("arn:aws:iam::1:role/b"), true},
		{"ArnNotLike", []string{"arn:aws:iam::1:role/*"}, at("arn:aws:iam::1:role/b"), false},
		{"Null", []string{"true"}, nil, true},
		{"Null", []string{"true"}, at("x"), false},
		{"Null", []string{"false"}, at("x"), true},
		{"Null", []string{"false"}, at(), false},
		{"ForAllValues:StringEquals", []string{"a", "b"}, at("a", "b", "a"), true},
		{"ForAllValues:StringEquals", []string{"a", "b"}, at("a", "c"), false},
		{"ForAllValues:StringEquals", []string{"a"}, nil, true},
		{"ForAllValues:StringNotEquals", []string{"a"}, at("b", "c"), true},
		{"ForAllValues:StringNotEquals", []string{"a"}, at("b", "a"), false},
		{"ForAnyValue:StringEquals", []string{"a"}, at("b", "a"), true},
		{"ForAnyValue:StringEquals", []string{"a"}, nil, false},
		{"ForAnyValue:StringNotEquals", []string{"a"}, at("a", "b"), true},
		{"ForAnyValue:StringNotEquals", []string{"a"}, nil, false},
		{"ForAnyValue:StringLikeIfExists", []string{"a*"}, nil, true},
	} {
		name := fmt.Sprintf("%s %v of %v", test.operator, test.values, test.context)
		if got := allowedIf(test.operator, test.values, test.context); got != test.want {
			t.Errorf("%s: got %v, want %v", name, got, test.want)
		}
	}
}

// document returns a document with one statement, about everything.
func document(allow bool, c policydocument.Condition) *policydocument.Document {
	return &policydocument.Document{Version: "2012-10-17", Statements: []policydocument.Statement{{
		Allow: allow, Actions: []string{"*"}, Resources: []string{"*"}, Conditions: []policydocument.Condition{c},
	}}}
}

func allowedIf(operator string, values []string, context map[string][]string) bool {
	d := document(true, policydocument.Condition{Operator: operator, Key: "AWS:key", Values: values})
	return access.Evaluate([]*policydocument.Document{d}, nil, access.Request{Action: "a:B", Context: context}).Allowed
}

func TestConditionsThatCannotBeEvaluatedFailClosed(t *testing.T) {
	everyone := parse(t, everything)
	for _, c := range []policydocument.Condition{
		{Operator: "StringMatches", Key: "aws:Key", Values: []string{"x"}},
		{Operator: "ForSome:StringEquals", Key: "aws:Key", Values: []string{"x"}},
		{Operator: "NumericLessThan", Key: "aws:Key", Values: []string{"many"}},
		{Operator: "DateNotEquals", Key: "aws:Key", Values: []string{"soon"}},
		{Operator: "IpAddress", Key: "aws:Key", Values: []string{"here"}},
		{Operator: "Bool", Key: "aws:Key", Values: []string{"1"}},
		{Operator: "Null", Key: "aws:Key", Values: []string{"perhaps"}},
		{Operator: "StringEquals", Key: "aws:Key", Values: []string{"${aws:Missing}"}},
	} {
		if allowedIf(c.Operator, c.Values, at("x")) {
			t.Errorf("%+v allows", c)
		}
		documents := []*policydocument.Document{everyone, document(false, c)}
		got := access.Evaluate(documents, nil, access.Request{Action: "a:B", Context: at("x")})
		if got.Allowed || !got.Explicit {
			t.Errorf("%+v does not deny", c)
		}
	}
}

func TestKeysThatAreNotModelledFailClosed(t *testing.T) {
	r := access.Request{Action: "a:B", Modelled: func(key string) bool { return key == "a:known" }}
	for condition, want := range map[string]struct{ allowed, denied bool }{
		`{"StringNotEquals":{"a:Known":"x"}}`:           {true, true},
		`{"StringEquals":{"a:Known":"x"}}`:              {false, false},
		`{"StringNotEquals":{"a:Unknown":"x"}}`:         {false, true},
		`{"StringEquals":{"a:Unknown":"x"}}`:            {false, true},
		`{"StringEqualsIfExists":{"a:Unknown":"x"}}`:    {false, true},
		`{"Null":{"a:Unknown":"true"}}`:                 {false, true},
		`{"StringLike":{"a:Known":"${a:Unknown,'*'}"}}`: {false, false},
	} {
		allowance := parse(t, `{"Effect":"Allow","Action":"*","Resource":"*","Condition":`+condition+`}`)
		denial := parse(t, `{"Effect":"Deny","Action":"*","Resource":"*","Condition":`+condition+`}`)
		got := access.Evaluate([]*policydocument.Document{allowance}, nil, r)
		if got.Allowed != want.allowed {
			t.Errorf("%s allows: %v, want %v", condition, got.Allowed, want.allowed)
		}
		got = access.Evaluate([]*policydocument.Document{parse(t, everything), denial}, nil, r)
		if got.Explicit != want.denied {
			t.Errorf("%s denies: %v, want %v", condition, got.Explicit, want.denied)
		}
	}
}

func TestAllConditionsMustBeMet(t *testing.T) {
	d := parse(t, `{"Effect":"Allow","Action":"*","Resource":"*","Condition":{
		"StringEquals":{"aws:a":"1","aws:b":"2"},"Bool":{"aws:c":true}}}`)
	for _, test := range []struct {
		context map[string][]string
		want    bool
	}{
		{map[string][]string{"aws:a": {"1"}, "aws:b": {"2"}, "aws:c": {"true"}}, true},
		{map[string][]string{"aws:a": {"1"}, "aws:b": {"2"}}, false},
		{map[string][]string{"aws:a": {"1"}, "aws:b": {"3"}, "aws:c": {"true"}}, false},
	} {
		r := access.Request{Action: "a:B", Context: test.context}
		if got := access.Evaluate([]*policydocument.Document{d}, nil, r).Allowed; got != test.want {
			t.Errorf("%v: got %v, want %v", test.context, got, test.want)
		}
	}
}
