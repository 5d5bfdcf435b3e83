package ec2

import (
	"reflect"
	"slices"
	"strings"
	"time"

	"aloft.dev/aloft/internal/cloud/wire"
)

// refuseBut refuses whatever a request asks for beyond the paths, by name: what
// the local cloud has nothing behind, now or when AWS adds to the request, is
// never dropped in silence. A path is the names of fields from the request down
// ("MetadataOptions.HttpTokens"); it stands for all below it. "path=value"
// admits one value alone. What is false, zero or empty asks for nothing.
func refuseBut(in any, paths ...string) error {
	if path := beyond(reflect.ValueOf(in), "", paths); path != "" {
		return unsupported(map[string]bool{path: true})
	}
	return nil
}

// beyond finds the first field set that is on none of the paths, and returns
// its path as errors name it.
func beyond(v reflect.Value, path string, paths []string) string {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			return beyond(v.Elem(), path, paths)
		}
	case reflect.Slice:
		for i := range v.Len() {
			if found := beyond(v.Index(i), path, paths); found != "" {
				return found
			}
		}
	case reflect.Struct:
		return beyondFields(v, path, paths)
	default:
		if !v.IsZero() && !(v.Kind() == reflect.String && slices.Contains(paths, path+"="+v.String())) {
			return spelled(path)
		}
	}
	return ""
}

func beyondFields(v reflect.Value, path string, paths []string) string {
	if v.Type() == reflect.TypeFor[time.Time]() && !v.IsZero() {
		return spelled(path)
	}
	for i := range v.NumField() {
		field := v.Type().Field(i)
		below := strings.TrimPrefix(path+"."+field.Name, ".")
		if !field.IsExported() || slices.Contains(paths, below) {
			continue
		}
		if found := beyond(v.Field(i), below, paths); found != "" {
			return found
		}
	}
	return ""
}

// spelled is a path as EC2 spells names in errors: "placement.groupName".
func spelled(path string) string {
	names := strings.Split(path, ".")
	for i, name := range names {
		names[i] = strings.ToLower(name[:1]) + name[1:]
	}
	return strings.Join(names, ".")
}

// exclusive refuses a request that sets more or less than one of its attributes.
func exclusive(set map[string]bool) error {
	given := slices.Sorted(func(yield func(string) bool) {
		for name, is := range set {
			if is && !yield(name) {
				return
			}
		}
	})
	switch len(given) {
	case 0:
		return wire.Errorf("InvalidParameterCombination", "No attributes specified.")
	case 1:
		return nil
	}
	return wire.Errorf(
		"InvalidParameterCombination", "Fields for multiple attribute types specified: %s", strings.Join(given, ", "),
	)
}
