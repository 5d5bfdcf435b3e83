package names

import "strings"

// Place is where in a REST request or response a field is.
type Place string

// The places of fields.
const (
	InBody   Place = "" // of fields that a table does not bind
	InPath   Place = "path"
	InQuery  Place = "query"
	InHeader Place = "header"
)

// Binding is a field's place outside the body, and its name there.
type Binding struct {
	Place Place
	Name  string
}

// Bindings returns, by field name, the places of a Go type's fields that are not in the
// body.
func (t *Table) Bindings(typeName string) map[string]Binding {
	out := map[string]Binding{}
	for entry := range strings.FieldsSeq(t.bindings[typeName]) {
		parts := strings.SplitN(entry, ":", 3)
		out[parts[0]] = Binding{Place: Place(parts[1]), Name: parts[2]}
	}
	return out
}

// Route is how REST names an operation.
type Route struct {
	Operation, Method string
	segments          []string // of the path; labels in braces
}

// parseRoute parses an operation, a method and a path.
func parseRoute(line string) Route {
	operation, rest, _ := strings.Cut(line, " ")
	method, path, _ := strings.Cut(rest, " ")
	return Route{Operation: operation, Method: method, segments: segments(path)}
}

// segments splits a path. A slash at its end has no meaning: some clients send one that
// others do not.
func segments(path string) []string { return strings.Split(strings.Trim(path, "/"), "/") }

// Route returns the operation of a method and a path, which is still escaped, and the
// segments of the path that stand for its labels. Literal segments go before labels.
func (t *Table) Route(method, path string) (operation string, labels map[string]string) {
	given, literals := segments(path), -1
	for _, r := range t.routes {
		found, n := r.match(given)
		if r.Method == method && found != nil && n > literals {
			operation, labels, literals = r.Operation, found, n
		}
	}
	return operation, labels
}

// match returns the labels of a path and its number of literal segments, or no labels if
// the route has another path.
func (r Route) match(given []string) (labels map[string]string, literals int) {
	if len(given) != len(r.segments) {
		return nil, 0
	}
	labels = map[string]string{}
	for i, s := range r.segments {
		switch {
		case strings.HasPrefix(s, "{"):
			labels[strings.Trim(s, "{}")] = given[i]
		case s == given[i]:
			literals++
		default:
			return nil, 0
		}
	}
	return labels, literals
}
