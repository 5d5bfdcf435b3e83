package authorization

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// values returns the texts in the input's fields at the paths, which consist of the
// names of fields: "NetworkInterfaces.SubnetId".
func (s *subject) values(paths ...string) []string { return valuesAt(s.input, paths...) }

// value returns the first text at a path, or "".
func (s *subject) value(path string) string {
	if values := s.values(path); len(values) > 0 {
		return values[0]
	}
	return ""
}

// flag returns the Boolean at a path as a condition key has it. It is false by default.
func (s *subject) flag(path string) string {
	flag := false
	visit(s.input, strings.Split(path, "."), func(v reflect.Value) { flag = v.Kind() == reflect.Bool && v.Bool() })
	return strconv.FormatBool(flag)
}

func valuesAt(v reflect.Value, paths ...string) []string {
	var all []string
	for _, path := range paths {
		visit(v, strings.Split(path, "."), func(v reflect.Value) {
			if v.Kind() == reflect.String && v.String() != "" {
				all = append(all, v.String())
			}
		})
	}
	return all
}

// visit calls f for each value at a path below v. It passes through pointers and slices.
func visit(v reflect.Value, path []string, f func(reflect.Value)) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			visit(v.Elem(), path, f)
		}
		return
	case reflect.Slice:
		for i := range v.Len() {
			visit(v.Index(i), path, f)
		}
		return
	case reflect.Struct:
		if len(path) > 0 {
			if field := v.FieldByName(path[0]); field.IsValid() {
				visit(field, path[1:], f)
			}
			return
		}
	default:
	}
	if len(path) == 0 {
		f(v)
	}
}

// tag is a tag in a request.
type tag struct{ key, value string }

// tagFields are the paths of the tags that requests set or remove, and of the keys of
// tags that they remove.
var (
	tagFields    = []string{"Tags", "TagSpecifications.Tags"}
	tagKeyFields = []string{"TagKeys", "Keys"}
)

// tagsIn returns the tags in an input.
func tagsIn(input reflect.Value) []tag {
	var tags []tag
	for _, path := range tagFields {
		visit(input, strings.Split(path, "."), func(v reflect.Value) {
			if v.Kind() == reflect.Map {
				for _, key := range v.MapKeys() {
					tags = append(tags, tag{key.String(), v.MapIndex(key).String()})
				}
			}
			if v.Kind() != reflect.Struct || !v.FieldByName("Key").IsValid() {
				return
			}
			t := tag{}
			for _, key := range valuesAt(v, "Key") {
				t.key = key
			}
			for _, value := range valuesAt(v, "Value") {
				t.value = value
			}
			tags = append(tags, t)
		})
	}
	return tags
}

// tagKeys returns the condition keys of the tags in the request.
func (s *subject) tagKeys(tags []tag) map[string][]string {
	keys := map[string][]string{}
	var names []string
	for _, t := range tags {
		names = append(names, t.key)
		name := "aws:RequestTag/" + t.key
		if !slices.Contains(keys[name], t.value) {
			keys[name] = append(keys[name], t.value)
		}
	}
	for _, path := range tagKeyFields {
		names = append(names, s.values(path)...)
	}
	if slices.Sort(names); len(names) > 0 {
		keys["aws:TagKeys"] = slices.Compact(names)
	}
	return keys
}
