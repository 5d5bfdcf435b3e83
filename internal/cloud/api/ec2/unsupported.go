package ec2

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"aloft.dev/aloft/internal/cloud/wire"
)

// supportOnly refuses, by name, the first parameter of a request that the paths do not
// list. Nothing that a request asks for is ignored silently, including parameters that
// AWS adds later.
//
// A path consists of the names of fields, from the request down:
// "MetadataOptions.HttpTokens". It includes all fields below it. "path=value" supports
// one value only. False, zero and empty values count as not set.
func supportOnly(in any, paths ...string) error {
	if path := findUnsupported(reflect.ValueOf(in), "", paths); path != "" {
		return unsupported(map[string]bool{path: true})
	}
	return nil
}

// findUnsupported returns the first field that is set and that no path lists, in the
// form of parameterName, or an empty text.
func findUnsupported(v reflect.Value, path string, paths []string) string {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			return findUnsupported(v.Elem(), path, paths)
		}
	case reflect.Slice:
		for i := range v.Len() {
			if found := findUnsupported(v.Index(i), path, paths); found != "" {
				return found
			}
		}
	case reflect.Struct:
		return findUnsupportedField(v, path, paths)
	default:
		if !v.IsZero() && !(v.Kind() == reflect.String && slices.Contains(paths, path+"="+v.String())) {
			return parameterName(path)
		}
	}
	return ""
}

func findUnsupportedField(v reflect.Value, path string, paths []string) string {
	if v.Type() == reflect.TypeFor[time.Time]() && !v.IsZero() {
		return parameterName(path)
	}
	for i := range v.NumField() {
		field := v.Type().Field(i)
		below := strings.TrimPrefix(path+"."+field.Name, ".")
		if !field.IsExported() || slices.Contains(paths, below) {
			continue
		}
		if found := findUnsupported(v.Field(i), below, paths); found != "" {
			return found
		}
	}
	return ""
}

// parameterName returns a path in the form of EC2's errors: "placement.groupName".
func parameterName(path string) string {
	names := strings.Split(path, ".")
	for i, name := range names {
		names[i] = strings.ToLower(name[:1]) + name[1:]
	}
	return strings.Join(names, ".")
}

// unsupported refuses the first parameter that is set, because clients rely on a
// parameter that is accepted. set maps parameters of EC2's API that the local cloud
// does not support to whether the request sets them.
func unsupported(set map[string]bool) error {
	for _, name := range slices.Sorted(maps.Keys(set)) {
		if set[name] {
			return wire.Errorf("UnsupportedOperation", "aloft's local cloud does not support the parameter %s", name)
		}
	}
	return nil
}
