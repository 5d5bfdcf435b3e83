// Package names knows how AWS spells the fields of the SDK's Go types on the
// wire: the names of XML elements, JSON members and request parameters.
//
// Its tables list only the exceptions to each protocol's rule. In the EC2 query
// protocol, a response element has the field's name with a lower-case first
// letter, the elements of a list are named item, and a request parameter has the
// field's name. In AWS query, AWS JSON and REST, every name is the field's, and the
// elements of a list are named member. For REST a table also has the operations' methods
// and paths, and the fields that are not in bodies.
//
// The tables are generated from the sources of the AWS SDK for Go v2 that this
// module is built with, so they cover exactly the members of its types.
package names

import (
	"embed"
	"fmt"
	"maps"
	"slices"
	"strings"
)

//go:generate go run ./gen

//go:embed *.txt
var tables embed.FS

// Protocol is how a service encodes requests and responses.
type Protocol string

// The protocols that the local cloud speaks, named as in AWS's models.
const (
	EC2   Protocol = "ec2"   // form in, XML out, the flattened dialect of Amazon EC2
	Query Protocol = "query" // form in, XML out
	JSON  Protocol = "json"  // JSON in and out, operation in X-Amz-Target
	CBOR  Protocol = "cbor"  // Smithy's RPC v2: CBOR in and out, operation in the path

	// RestXML has the operation in the method and the path, and XML in and out.
	RestXML Protocol = "rest-xml"
	// S3 is RestXML with bodies that are streams, and with errors, signatures and hosts that
	// no other service has.
	S3 Protocol = "s3"
)

// Table holds the names of one service.
type Table struct {
	Service        string     // signing name, such as ec2 or elasticloadbalancing
	Protocol       Protocol   // main protocol
	Version        string     // API version, such as 2016-11-15; empty for JSON
	Namespace      string     // xmlns of responses; empty for JSON
	Target         string     // prefix of X-Amz-Target and service in RPC v2's paths; empty for XML protocols
	OtherProtocols []Protocol // further protocols, with the same names
	operations     map[string]bool
	errors         map[string]string // code in AWS query → name in JSON and CBOR, if they differ
	types          map[string]string // Go type name → line of the table
	routes         []Route           // of REST
	bindings       map[string]string // of REST: Go type name → fields outside the body
	roots          map[string]string // of S3: operation → root of the response's document
}

// Field holds the names of one field of a Go type.
type Field struct {
	Response string // element or member in a response
	Request  string // parameter or member in a request
	Item     string // element of a list, in requests and responses; or Flattened
}

// Flattened is the item of a list whose elements have the name of the list, and no element
// around them.
const Flattened = "-"

// Load returns the table of a service by its signing name.
func Load(service string) (*Table, error) {
	text, err := tables.ReadFile(service + ".txt")
	if err != nil {
		return nil, fmt.Errorf("load wire names of %s: no such table", service)
	}
	t := &Table{
		Service:    service,
		operations: map[string]bool{},
		errors:     map[string]string{},
		types:      map[string]string{},
		bindings:   map[string]string{},
		roots:      map[string]string{},
	}
	for line := range strings.Lines(string(text)) {
		key, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		t.read(key, rest)
	}
	return t, nil
}

// read reads a line of a table's text.
func (t *Table) read(key, rest string) {
	switch key {
	case "#":
	case "protocol":
		t.Protocol = Protocol(rest)
	case "version":
		t.Version = rest
	case "namespace":
		t.Namespace = rest
	case "target":
		t.Target = rest
	case "also":
		for name := range strings.FieldsSeq(rest) {
			t.OtherProtocols = append(t.OtherProtocols, Protocol(name))
		}
	case "errors":
		for pair := range strings.FieldsSeq(rest) {
			code, name, _ := strings.Cut(pair, ":")
			t.errors[code] = name
		}
	case "operations":
		for name := range strings.FieldsSeq(rest) {
			t.operations[name] = true
		}
	case "route":
		t.routes = append(t.routes, parseRoute(rest))
	case "bind":
		typeName, fields, _ := strings.Cut(rest, " ")
		t.bindings[typeName] = fields
	case "root":
		operation, root, _ := strings.Cut(rest, " ")
		t.roots[operation] = root
	default:
		t.types[key] = rest
	}
}

// HasOperation reports whether AWS's API has an operation with the name.
func (t *Table) HasOperation(name string) bool { return t.operations[name] }

// Operations returns the names of AWS's operations, sorted.
func (t *Table) Operations() []string { return slices.Sorted(maps.Keys(t.operations)) }

// ErrorName returns the name that the error has in JSON and CBOR.
func (t *Table) ErrorName(code string) string {
	if name, ok := t.errors[code]; ok {
		return name
	}
	return code
}

// Root returns the name of the document in the responses of an operation of S3.
func (t *Table) Root(operation string) string { return t.roots[operation] }

// Exceptions returns, by field name, the fields of a Go type that do not follow
// the protocol's rule. Names that do follow it are filled in.
func (t *Table) Exceptions(typeName string) map[string]Field {
	out := map[string]Field{}
	for entry := range strings.FieldsSeq(t.types[typeName]) {
		parts := strings.Split(entry, ":")
		f := t.DefaultField(parts[0])
		for i, part := range parts[1:] {
			if part == "" {
				continue
			}
			switch i {
			case 0:
				f.Response = part
			case 1:
				f.Request = part
			case 2:
				f.Item = part
			}
		}
		out[parts[0]] = f
	}
	return out
}

// DefaultField returns the names that the protocol's rule gives a field.
func (t *Table) DefaultField(field string) Field {
	if t.Protocol == EC2 {
		return Field{Response: strings.ToLower(field[:1]) + field[1:], Request: field, Item: "item"}
	}
	return Field{Response: field, Request: field, Item: "member"}
}
