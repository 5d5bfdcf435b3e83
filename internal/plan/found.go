package plan

import (
	"cmp"
	"fmt"
	"slices"

	"aloft.dev/aloft/internal/stack"
)

// Found is a resource in the cloud that carries the application's tags. An address
// may have several: an instance and its replacement, or duplicates created by two
// runs at once.
type Found struct {
	Address    string
	Kind       stack.Kind
	ID         string     // what other resources refer to it by: id, ARN, or a key pair's name
	Name       string     // its name if its kind has names
	Created    string     // creation time in a form that sorts; "" if AWS does not report it
	Broken     string     // why it cannot be used; "" if it can
	Attributes Attributes // what is compared with the stack
	Status     Status     // what is not compared
}

// Attributes holds the values of attributes as sorted sets.
type Attributes map[stack.AttributeKey][]string

// Set sets the values of an attribute.
func (f *Found) Set(key stack.AttributeKey, values ...string) {
	if f.Attributes == nil {
		f.Attributes = Attributes{}
	}
	f.Attributes[key] = sortedSet(values)
}

// Value returns the value of an attribute, the first one if it has several, or ""
// if it has none.
func (f *Found) Value(key stack.AttributeKey) string {
	if values := f.Attributes[key]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// Values returns all values of an attribute, sorted.
func (f *Found) Values(key stack.AttributeKey) []string { return f.Attributes[key] }

// Label names the resource to people: "subnet subnet-0a1b".
func (f *Found) Label() string {
	return fmt.Sprintf("%s %s", f.Kind, cmp.Or(f.Name, f.ID))
}

func sortedSet(values []string) []string {
	values = slices.Clone(values)
	slices.Sort(values)
	return slices.Compact(values)
}

// countReferences returns the number of references to each id.
func countReferences(found []Found) map[string]int {
	count := map[string]int{}
	for _, f := range found {
		for _, values := range f.Attributes {
			for _, value := range values {
				count[value]++
			}
		}
	}
	return count
}

// byAddress groups resources by address. Each group is sorted by the number of
// references to the resource, descending, then by age: a duplicate that a crashed
// run left behind is unused.
func byAddress(found []Found) map[string][]Found {
	count := countReferences(found)
	groups := map[string][]Found{}
	for _, f := range found {
		groups[f.Address] = append(groups[f.Address], f)
	}
	for _, group := range groups {
		slices.SortStableFunc(group, func(a, b Found) int {
			return cmp.Or(
				cmp.Compare(count[b.ID], count[a.ID]),
				cmp.Compare(a.Created, b.Created),
				cmp.Compare(a.ID, b.ID),
			)
		})
	}
	return groups
}
