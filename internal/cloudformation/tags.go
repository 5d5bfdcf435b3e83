package cloudformation

import (
	"maps"
	"slices"
	"strings"

	"aloft.dev/aloft/internal/blueprint"
)

// given returns a list as the value of a property, or nil if it is empty.
func given(list []object) any {
	if len(list) == 0 {
		return nil
	}
	return list
}

// tags returns the tags that users can set, nil if there are none. Those about keys are of what
// stands, and not of the same elsewhere.
func (c *code) tags(all map[string]string) any {
	var list []object
	for _, key := range slices.Sorted(maps.Keys(all)) {
		ofKeys := slices.Contains(blueprint.KeyTags(), key)
		if !strings.HasPrefix(key, "aws:") && (c.importing || !ofKeys) {
			list = append(list, object{"Key": key, "Value": all[key]})
		}
	}
	return given(list)
}

// pairs returns attributes of load balancing as lists of keys and values.
func pairs(all map[string]any) any {
	var list []object
	for _, key := range slices.Sorted(maps.Keys(all)) {
		list = append(list, object{"Key": key, "Value": all[key]})
	}
	return given(list)
}
