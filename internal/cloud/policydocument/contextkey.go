package policydocument

import (
	"slices"
	"strings"
)

// ContextKeys returns the condition keys that documents refer to, in conditions and in variables,
// in their order and each of them once. Keys are the same without regard to case.
func ContextKeys(documents ...*Document) []string {
	keys := []string{}
	add := func(key string) {
		same := func(other string) bool { return strings.EqualFold(other, key) }
		if key != "" && !slices.ContainsFunc(keys, same) {
			keys = append(keys, key)
		}
	}
	for _, d := range documents {
		for _, s := range d.Statements {
			for _, text := range slices.Concat(s.Resources, s.NotResources) {
				d.variables(text, add)
			}
			for _, c := range s.Conditions {
				add(c.Key)
				for _, value := range c.Values {
					d.variables(value, add)
				}
			}
		}
	}
	return keys
}

// variables calls f for each condition key in the variables of a text. The first version of the
// policy language has no variables.
func (d *Document) variables(text string, f func(key string)) {
	for d.Version == CurrentVersion {
		_, rest, found := strings.Cut(text, "${")
		name, after, closed := strings.Cut(rest, "}")
		if !found || !closed {
			return
		}
		key, _, _ := strings.Cut(name, ",") // a default follows
		if key = strings.TrimSpace(key); !slices.Contains([]string{"*", "?", "$"}, key) {
			f(key)
		}
		text = after
	}
}
