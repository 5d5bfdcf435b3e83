package wire

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// form holds the parameters of a query request as a tree: Filter.1.Name becomes
// Filter → 1 → Name.
type form struct {
	value    string
	set      bool // the path to this node is itself a parameter
	children map[string]*form
}

// maxDepth limits how deeply parameters' names are nested. AWS's deepest has 12
// levels.
const maxDepth = 32

// newForm builds the tree of a request's parameters. It leaves out those that
// frame the request: Action, Version and what a signature in the query string
// adds.
func newForm(values url.Values) (*form, error) {
	root := &form{}
	for key, vs := range values {
		if key == "Action" || key == "Version" || strings.HasPrefix(key, "X-Amz-") {
			continue
		}
		if strings.Count(key, ".") >= maxDepth {
			return nil, malformedQuery("The parameter name is nested too deeply.")
		}
		at := root
		for part := range strings.SplitSeq(key, ".") {
			at = at.child(part)
		}
		at.set, at.value = true, vs[len(vs)-1]
	}
	return root, nil
}

// child returns the child with the name, and creates it if necessary.
func (f *form) child(name string) *form {
	c := f.children[name]
	if c == nil {
		c = &form{}
		if f.children == nil {
			f.children = map[string]*form{}
		}
		f.children[name] = c
	}
	return c
}

// isEmpty reports whether the parameter is given without a text, as in "Name=".
func (f *form) isEmpty() bool { return f.set && f.value == "" && len(f.children) == 0 }

// elements returns the children named by a number, in numeric order, with their
// names, and the names of the other children. Gaps between numbers have no
// meaning, as on AWS.
func (f *form) elements() (numbered []*form, keys []string, others []string) {
	type element struct {
		n    uint64
		key  string
		form *form
	}
	var found []element
	for key, c := range f.children {
		n, err := strconv.ParseUint(key, 10, 32)
		if err != nil {
			others = append(others, key)
			continue
		}
		found = append(found, element{n, key, c})
	}
	slices.SortFunc(found, func(a, b element) int {
		if a.n != b.n {
			if a.n < b.n {
				return -1
			}
			return 1
		}
		return strings.Compare(a.key, b.key)
	})
	for _, e := range found {
		numbered, keys = append(numbered, e.form), append(keys, e.key)
	}
	return numbered, keys, others
}
