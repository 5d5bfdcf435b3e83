package elbv2

import (
	"maps"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"

	"aloft.dev/aloft/internal/cloud/wire"
)

// attribute is one key of a resource's attributes.
type attribute struct {
	standard string                  // value when it was never set
	allowed  func(value string) bool // as on AWS
	works    func(value string) bool // here; nil: all that is allowed
}

// attributes are the keys of one kind of resource.
type attributes struct {
	kind string
	keys map[string]attribute
}

func (s attributes) defaults() map[string]string {
	out := make(map[string]string, len(s.keys))
	for key, a := range s.keys {
		out[key] = a.standard
	}
	return out
}

// pair is an attribute as sent and as answered.
type pair struct{ key, value *string }

// changed is a copy of the attributes with the pairs set.
func (s attributes) changed(old map[string]string, pairs []pair) (map[string]string, error) {
	if len(pairs) == 0 {
		return nil, model.Null("attributes")
	}
	out := maps.Clone(old)
	for _, p := range pairs {
		if err := model.Required("attributes.member.key", p.key != nil); err != nil {
			return nil, err
		}
		key, value := *p.key, aws.ToString(p.value)
		a, ok := s.keys[key]
		switch {
		case !ok:
			return nil, invalid("%s attribute key '%s' is not recognized", s.kind, key)
		case !a.allowed(value):
			return nil, invalid("%s attribute value '%s' is not valid for the key '%s'", s.kind, value, key)
		case a.works != nil && !a.works(value):
			return nil, wire.NotImplemented("the value '%s' of the attribute %s", value, key)
		}
		out[key] = value
	}
	return out, nil
}

// each calls write for every attribute, in the order of the keys.
func each(values map[string]string, write func(key, value string)) {
	for _, key := range slices.Sorted(maps.Keys(values)) {
		write(key, values[key])
	}
}

func anything(value string) bool { return len(value) <= 1024 }

func oneOf(values ...string) func(string) bool {
	return func(value string) bool { return slices.Contains(values, value) }
}

var boolean = oneOf("true", "false")

func number(low, high int) func(string) bool {
	return func(value string) bool {
		n, err := strconv.Atoi(value)
		return err == nil && low <= n && n <= high && value == strconv.Itoa(n)
	}
}

func orElse(a, b func(string) bool) func(string) bool {
	return func(value string) bool { return a(value) || b(value) }
}
