package elbv2

import (
	"maps"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"

	"aloft.dev/aloft/internal/cloud/wire"
)

// attribute defines one key of a kind's attributes.
type attribute struct {
	initial   string                  // value until it is set
	valid     func(value string) bool // reports whether AWS accepts the value
	supported func(value string) bool // reports whether the data plane carries it out; nil: every valid value
}

// attributes defines the attributes of one kind of resource.
type attributes struct {
	kind string
	keys map[string]attribute
}

func (s attributes) defaults() map[string]string {
	out := make(map[string]string, len(s.keys))
	for key, a := range s.keys {
		out[key] = a.initial
	}
	return out
}

// keyValue is an attribute in a request or response.
type keyValue struct{ key, value *string }

// apply returns a copy of old with the pairs set. Values that the data plane does not carry out are
// refused, unless there is none: they are attributes of a simulated load balancer.
func (s attributes) apply(old map[string]string, pairs []keyValue, simulated bool) (map[string]string, error) {
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
		case !a.valid(value):
			return nil, invalid("%s attribute value '%s' is not valid for the key '%s'", s.kind, value, key)
		case !simulated && a.supported != nil && !a.supported(value):
			return nil, wire.NotImplemented("the value '%s' of the attribute %s", value, key)
		}
		out[key] = value
	}
	return out, nil
}

// readAttributes returns the attributes of a request, which each kind of resource
// has in a type of its own.
func readAttributes[T any](given []T, read func(T) keyValue) []keyValue {
	out := make([]keyValue, 0, len(given))
	for _, attribute := range given {
		out = append(out, read(attribute))
	}
	return out
}

// describeAttributes returns the attributes as values of the SDK's type, sorted by
// key.
func describeAttributes[T any](values map[string]string, describe func(keyValue) T) []T {
	out := make([]T, 0, len(values))
	for _, key := range slices.Sorted(maps.Keys(values)) {
		out = append(out, describe(keyValue{new(key), new(values[key])}))
	}
	return out
}

func anyText(value string) bool { return len(value) <= 1024 }

func oneOf(values ...string) func(string) bool {
	return func(value string) bool { return slices.Contains(values, value) }
}

var isBoolean = oneOf("true", "false")

func numberBetween(low, high int) func(string) bool {
	return func(value string) bool {
		n, err := strconv.Atoi(value)
		return err == nil && low <= n && n <= high && value == strconv.Itoa(n)
	}
}

func either(a, b func(string) bool) func(string) bool {
	return func(value string) bool { return a(value) || b(value) }
}
