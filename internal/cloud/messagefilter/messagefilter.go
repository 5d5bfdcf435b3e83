// Package messagefilter decides which messages of a topic a subscription receives: those that match its
// filter policy (Amazon SNS Developer Guide, "Amazon SNS subscription filter policies").
package messagefilter

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"aloft.dev/aloft/internal/cloud/store"
)

// The scopes of a policy: what it is about.
const (
	Attributes = "MessageAttributes" // those of a message, the default
	Body       = "MessageBody"       // which is JSON
)

// Limits of a policy (Amazon SNS Developer Guide, "Filter policy constraints in Amazon SNS").
const (
	maxKeys         = 5
	maxCombinations = 150
)

// ErrNested is the error for a policy about attributes that names properties of properties.
var ErrNested = refuse("Filter policy scope MessageAttributes does not support nested filter policy")

// Policy is a filter policy.
type Policy struct {
	scope string
	root  object
}

// object is a condition on an object of a message: all keys match, and one of each list of alternatives.
type object struct {
	keys   map[string]node
	either [][]object
}

// node is a condition on a property: on its value or, if it has no conditions, on the object in it.
type node struct {
	conditions []condition
	object     *object
}

// Parse reads a policy. Its errors have the words of AWS.
func Parse(text, scope string) (*Policy, error) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var document any
	if err := decoder.Decode(&document); err != nil {
		return nil, refuse("failed to parse JSON. %v", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, refuse("failed to parse JSON.")
	}
	members, ok := document.(map[string]any)
	if !ok {
		return nil, refuse("Filter is not an object")
	}
	p := parser{scope: scope}
	root, err := p.object(members)
	if err != nil {
		return nil, err
	}
	switch keys, combinations := root.size(); {
	case keys > maxKeys:
		return nil, refuse("Filter policy can not have more than %d keys", maxKeys)
	case combinations > maxCombinations:
		return nil, refuse("Filter policy is too complex")
	}
	return &Policy{scope, root}, nil
}

// refusal is the error for a policy that AWS refuses, in its words.
type refusal string

func (r refusal) Error() string { return string(r) }

func refuse(format string, args ...any) error { return refusal(fmt.Sprintf(format, args...)) }

type parser struct{ scope string }

// orKey is the key of alternatives.
const orKey = "$or"

func (p parser) object(members map[string]any) (object, error) {
	o := object{keys: map[string]node{}}
	for key, value := range members {
		if list, ok := alternatives(key, value); ok {
			var either []object
			for _, item := range list {
				alternative, err := p.object(item.(map[string]any))
				if err != nil {
					return object{}, err
				}
				either = append(either, alternative)
			}
			o.either = append(o.either, either)
			continue
		}
		n, err := p.node(key, value)
		if err != nil {
			return object{}, err
		}
		o.keys[key] = n
	}
	return o, nil
}

// alternatives returns the objects of the key $or. A list of something else is about a property of that name.
func alternatives(key string, value any) ([]any, bool) {
	list, ok := value.([]any)
	if key != orKey || !ok || len(list) < 2 {
		return nil, false
	}
	return list, !slices.ContainsFunc(list, func(item any) bool {
		_, isObject := item.(map[string]any)
		return !isObject
	})
}

func (p parser) node(key string, value any) (node, error) {
	switch v := value.(type) {
	case []any:
		if len(v) == 0 {
			return node{}, refuse("Empty arrays are not allowed")
		}
		n := node{}
		for _, item := range v {
			c, err := parseCondition(item)
			if err != nil {
				return node{}, err
			}
			n.conditions = append(n.conditions, c)
		}
		return n, nil
	case map[string]any:
		if p.scope != Body {
			return node{}, ErrNested
		}
		inner, err := p.object(v)
		return node{object: &inner}, err
	}
	return node{}, refuse("%q must be an object or an array", key)
}

// size returns how many keys a policy has, and how many combinations of values.
func (o object) size() (keys, combinations int) {
	combinations = 1
	for _, n := range o.keys {
		if n.object != nil {
			k, c := n.object.size()
			keys, combinations = keys+k, combinations*c
			continue
		}
		keys, combinations = keys+1, combinations*len(n.conditions)
	}
	for _, either := range o.either {
		sum := 0
		for _, alternative := range either {
			k, c := alternative.size()
			keys, sum = keys+k, sum+c
		}
		combinations *= sum
	}
	return keys, combinations
}

// Match reports whether a message matches. text is what the subscription would receive.
func (p *Policy) Match(text string, attributes []store.MessageAttribute) bool {
	if p.scope != Body {
		return p.root.match(properties(attributes))
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var document any
	if decoder.Decode(&document) != nil {
		return false
	}
	return p.root.matchAny(document)
}

// properties returns the attributes of a message as a document. Policies are not about binary ones.
func properties(attributes []store.MessageAttribute) map[string]any {
	document := map[string]any{}
	for _, a := range attributes {
		switch a.Type {
		case "String":
			document[a.Name] = a.Value
		case "Number":
			document[a.Name] = json.Number(a.Value)
		case "String.Array":
			decoder := json.NewDecoder(strings.NewReader(a.Value))
			decoder.UseNumber()
			var list []any
			if decoder.Decode(&list) == nil {
				document[a.Name] = list
			}
		}
	}
	return document
}

// matchAny reports whether a value is an object that matches, or a list with one.
func (o object) matchAny(value any) bool {
	switch v := value.(type) {
	case map[string]any:
		return o.match(v)
	case []any:
		return slices.ContainsFunc(v, o.matchAny)
	}
	return o.match(nil) // nothing is in it, which conditions about what does not exist allow
}

func (o object) match(members map[string]any) bool {
	for key, n := range o.keys {
		value, exists := members[key]
		switch {
		case n.object != nil:
			if !n.object.matchAny(value) {
				return false
			}
		case !slices.ContainsFunc(n.conditions, func(c condition) bool { return c.match(value, exists) }):
			return false
		}
	}
	for _, either := range o.either {
		if !slices.ContainsFunc(either, func(alternative object) bool { return alternative.match(members) }) {
			return false
		}
	}
	return true
}
