package names

import (
	"net/http"
	"net/url"
	"strings"
)

// Place is where in a REST request or response a field is.
type Place string

// The places of fields.
const (
	InBody    Place = "" // of fields that a table does not bind
	InPath    Place = "path"
	InQuery   Place = "query"
	InHeader  Place = "header"
	InHeaders Place = "headers" // a map, in headers that start with the name
	// AsBody is the place of a field that is the whole body: a document whose root has the
	// name, or bytes if there is no name.
	AsBody Place = "payload"
	// AsAttribute is the place of a field that is an attribute of its structure's element, with a
	// name in the namespace of XML Schema's instances.
	AsAttribute Place = "attribute"
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

// Route is how REST names an operation: by method and path and, for S3, by parameters in
// the query string and headers that a request must have.
type Route struct {
	Operation, Method string
	segments          []string // of the path; labels in braces
	query             []string // "uploads", "list-type=2"
	headers           []string
}

// parseRoute parses an operation, a method, a path with a query string, and headers.
func parseRoute(line string) Route {
	words := strings.Fields(line)
	path, query, _ := strings.Cut(words[2], "?")
	return Route{
		Operation: words[0], Method: words[1], segments: segments(path),
		query:   strings.FieldsFunc(query, func(c rune) bool { return c == '&' }),
		headers: words[3:],
	}
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

// RouteS3 returns the operation of a request to S3 for a bucket and a key, either of which
// may be empty. Of several operations, it is the one that needs the most parameters.
func (t *Table) RouteS3(method, bucket, key string, query url.Values, header http.Header) (operation string) {
	depth := 0
	for _, part := range []string{bucket, key} {
		if part != "" {
			depth++
		}
	}
	most := -1
	for _, r := range t.routes {
		if r.Method != method || r.labels() != depth {
			continue
		}
		if n, ok := r.needs(query, header); ok && n > most {
			operation, most = r.Operation, n
		}
	}
	return operation
}

// labels returns the number of labels in the path of a route of S3, or -1 if the path has
// something else.
func (r Route) labels() (n int) {
	for _, s := range r.segments {
		switch {
		case strings.HasPrefix(s, "{"):
			n++
		case s != "":
			return -1
		}
	}
	return n
}

// needs returns how many parameters the route needs, and whether a request has them. A
// request may leave out x-id, which repeats the operation's name.
func (r Route) needs(query url.Values, header http.Header) (n int, ok bool) {
	for _, parameter := range r.query {
		name, value, exact := strings.Cut(parameter, "=")
		switch {
		case name == "x-id" && query.Get(name) != value:
			continue
		case !query.Has(name), exact && query.Get(name) != value:
			return 0, false
		}
		n++
	}
	for _, name := range r.headers {
		if header.Get(name) == "" {
			return 0, false
		}
		n++
	}
	return n, true
}
