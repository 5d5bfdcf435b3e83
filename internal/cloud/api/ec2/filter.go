package ec2

import (
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// filters maps the name of each filter of a describe operation to the values of a row
// that the filter is compared with.
type filters[R any] map[string]func(r store.Reader, row R) []string

// maxFilterValues is EC2's limit for one request.
const maxFilterValues = 200

// check refuses unknown filters and too many values. A filter without values is one that nothing
// passes (moto pull request 8570).
func (f filters[R]) check(requested []types.Filter) error {
	values := 0
	for _, filter := range requested {
		name := aws.ToString(filter.Name)
		if name == "" {
			return wire.Errorf("InvalidParameterValue", "The filter 'null' is invalid")
		}
		if _, known := f[f.entry(name)]; !known {
			return wire.Errorf("InvalidParameterValue", "The filter '%s' is invalid", name)
		}
		values += len(filter.Values)
	}
	if values > maxFilterValues {
		return wire.Errorf(
			"FilterLimitExceeded",
			"The maximum number of filter values specified on a single call is %d", maxFilterValues,
		)
	}
	return nil
}

// byTag is the key in filters for the filters by one tag, whose names are "tag:" and
// the tag's key.
const byTag = "tag:"

// entry returns the key in filters for a filter's name.
func (filters[R]) entry(name string) string {
	if strings.HasPrefix(name, byTag) {
		return byTag
	}
	return name
}

// match reports whether a row passes all requested filters. A row passes a filter if
// one of its values matches one of the filter's.
func (f filters[R]) match(r store.Reader, row R, tags store.Tags, requested []types.Filter) bool {
	for _, filter := range requested {
		if !matchAny(f.values(r, row, tags, aws.ToString(filter.Name)), filter.Values) {
			return false
		}
	}
	return true
}

func (f filters[R]) values(r store.Reader, row R, tags store.Tags, name string) []string {
	if key, ok := strings.CutPrefix(name, byTag); ok {
		if value, ok := tags[key]; ok {
			return []string{value}
		}
		return nil
	}
	return f[name](r, row)
}

// withTagFilters adds the filters by tag that every taggable resource has.
func withTagFilters[R any](tags func(R) store.Tags, own filters[R]) filters[R] {
	own[byTag] = noValue[R] // values handles these filters
	own["tag-key"] = func(_ store.Reader, row R) []string {
		var keys []string
		for key := range tags(row) {
			keys = append(keys, key)
		}
		return keys
	}
	own["tag-value"] = func(_ store.Reader, row R) []string {
		var values []string
		for _, value := range tags(row) {
			values = append(values, value)
		}
		return values
	}
	return own
}

// withNone adds filters by what no resource has.
func withNone[R any](own filters[R], names ...string) filters[R] {
	for _, name := range names {
		own[name] = noValue[R]
	}
	return own
}

func matchAny(values, patterns []string) bool {
	for _, pattern := range patterns {
		for _, value := range values {
			if matchesPattern(pattern, value) {
				return true
			}
		}
	}
	return false
}

// matchesPattern reports whether value matches a filter's pattern. In a pattern *
// stands for any run of characters, ? for one character, and a backslash makes the
// next character literal (Amazon EC2 User Guide, List and filter using the CLI and
// API).
func matchesPattern(pattern, value string) bool {
	// Index of the last * in pattern, and the length of value up to the end of its match.
	star, matched := -1, 0
	p, v := 0, 0
	for v < len(value) {
		if p < len(pattern) {
			switch c := pattern[p]; {
			case c == '*':
				star, matched = p, v
				p++
				continue
			case c == '?':
				p, v = p+1, v+1
				continue
			case c == '\\' && p+1 < len(pattern) && pattern[p+1] == value[v]:
				p, v = p+2, v+1
				continue
			case c == value[v]:
				p, v = p+1, v+1
				continue
			}
		}
		if star < 0 {
			return false
		}
		matched++
		p, v = star+1, matched
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// field returns a filter by one field of a row.
func field[R any](text func(R) string) func(store.Reader, R) []string {
	return func(_ store.Reader, row R) []string { return []string{text(row)} }
}

// booleanField returns a filter by a field that is true or false.
func booleanField[R any](value func(R) bool) func(store.Reader, R) []string {
	return func(_ store.Reader, row R) []string { return []string{strconv.FormatBool(value(row))} }
}

// numberField returns a filter by a number.
func numberField[R any](value func(R) int32) func(store.Reader, R) []string {
	return func(_ store.Reader, row R) []string { return []string{strconv.Itoa(int(value(row)))} }
}

// optionalField returns a filter by a field that is empty in some rows.
func optionalField[R any](text func(R) string) func(store.Reader, R) []string {
	return func(_ store.Reader, row R) []string {
		if text := text(row); text != "" {
			return []string{text}
		}
		return nil
	}
}

// constant returns a filter by a property that is the same for every row.
func constant[R any](text string) func(store.Reader, R) []string {
	return func(store.Reader, R) []string { return []string{text} }
}

// noValue is a filter by a property that no row of the local cloud has.
func noValue[R any](store.Reader, R) []string { return nil }
