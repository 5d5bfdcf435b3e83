package ec2

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"aloft.dev/aloft/internal/cloud/store"
)

// member returns a filter by the member of a response's item that has the filter's name:
// "vcpu-info.default-cores" is VCpuInfo.DefaultCores, and "supported-boot-mode" each of
// SupportedBootModes.
func member[T any](name string) func(store.Reader, T) []string {
	path := strings.Split(strings.ReplaceAll(name, "-", ""), ".")
	return func(_ store.Reader, item T) []string { return membersAt(reflect.ValueOf(item), path) }
}

func membersAt(v reflect.Value, path []string) []string {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return membersAt(v.Elem(), path)
	case reflect.Slice:
		var all []string
		for i := range v.Len() {
			all = append(all, membersAt(v.Index(i), path)...)
		}
		return all
	case reflect.Struct:
		field := v.FieldByNameFunc(func(field string) bool {
			return slices.ContainsFunc([]string{"", "s", "es"}, func(plural string) bool {
				return strings.EqualFold(field, path[0]+plural)
			})
		})
		if !field.IsValid() {
			return nil
		}
		return membersAt(field, path[1:])
	}
	if text := fmt.Sprint(v.Interface()); text != "" {
		return []string{text}
	}
	return nil
}
