package plan

import (
	"cmp"
	"slices"

	"aloft.dev/aloft/internal/stack"
)

// Found is one thing that the cloud holds and that carries the application's
// tags. There may be several at one address: a machine and the one that
// replaces it, or what two runs made at once.
type Found struct {
	Address string
	Kind    stack.Kind
	ID      string              // what other resources refer to: id, ARN, or a key pair's name
	Name    string              // its name, where AWS has names
	Created string              // when it was made, in a form that sorts; "" when AWS does not tell
	Broken  string              // why it is of no use any more, "" when it is
	Values  map[string][]string // by the names of stack's attributes; sorted sets
	Status  map[string]string   // further facts that nobody compares: addresses, states
}

// Set stores the values of an attribute.
func (f *Found) Set(name string, values ...string) {
	if f.Values == nil {
		f.Values = map[string][]string{}
	}
	f.Values[name] = set(values)
}

// Get gives the value of an attribute that has one.
func (f *Found) Get(name string) string {
	if values := f.Values[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}

func set(values []string) []string {
	values = slices.Clone(values)
	slices.Sort(values)
	return slices.Compact(values)
}

// uses counts for each id how many things refer to it.
func uses(found []Found) map[string]int {
	count := map[string]int{}
	for _, f := range found {
		for _, values := range f.Values {
			for _, value := range values {
				count[value]++
			}
		}
	}
	return count
}

// byAddress groups what was found, in each group what is in use first, then
// what is oldest: a duplicate that a crash left behind is empty.
func byAddress(found []Found) map[string][]Found {
	count := uses(found)
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
