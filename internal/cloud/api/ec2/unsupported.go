package ec2

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"aloft.dev/aloft/internal/cloud/wire"
)

// supportOnly refuses whatever a request asks for beyond the paths, by name: what
// the local cloud has nothing behind, now or when AWS adds to the request, is
// never dropped in silence. A path is the names of fields from the request down
// ("MetadataOptions.HttpTokens"); it stands for all below it. "path=value"
// admits one value alone. What is false, zero or empty asks for nothing.
func supportOnly(in any, paths ...string) error {
	if path := findUnsupported(reflect.ValueOf(in), "", paths); path != "" {
		return unsupported(map[string]bool{path: true})
	}
	return nil
}

// findUnsupported finds the first field set that is on none of the paths, and returns
// its path as errors name it.
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

// parameterName is a path as EC2 spells names in errors: "placement.groupName".
func parameterName(path string) string {
	names := strings.Split(path, ".")
	for i, name := range names {
		names[i] = strings.ToLower(name[:1]) + name[1:]
	}
	return strings.Join(names, ".")
}

// unsupported refuses parameters of AWS's API that the local cloud knows but
// has nothing behind, so that nobody takes silence for consent.
func unsupported(set map[string]bool) error {
	for _, name := range slices.Sorted(maps.Keys(set)) {
		if set[name] {
			return wire.Errorf("UnsupportedOperation", "aloft's local cloud does not support the parameter %s", name)
		}
	}
	return nil
}
