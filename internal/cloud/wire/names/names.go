// Package names knows how AWS spells things on the wire: which element or
// parameter name stands for a field of the SDK's Go types.
//
// The tables hold only what a rule cannot tell. For the EC2 query protocol the
// rule is that a response element is the field's name with its first letter in
// lower case, a list's elements are called item, and a request parameter is
// the field's name itself. For AWS query and AWS JSON every name is the
// field's name and the elements of a list are called member. A field missing
// from a table follows the rule.
//
// The tables are generated from the sources of the AWS SDK for Go v2 that this
// module is built with, so they cover exactly the members its types have.
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

// Protocol is the way a service writes requests and responses.
type Protocol string

// The protocols that the local cloud speaks, named as in AWS's own models.
const (
	EC2   Protocol = "ec2"   // form in, XML out, the flattened dialect of Amazon EC2
	Query Protocol = "query" // form in, XML out
	JSON  Protocol = "json"  // JSON in and out, operation in X-Amz-Target
	CBOR  Protocol = "cbor"  // Smithy's RPC v2: CBOR in and out, operation in the path
)

// Table is what is known about one service.
type Table struct {
	Service        string   // signing name: ec2, elasticloadbalancing, sts, ssm
	Protocol       Protocol // how it speaks
	Version        string   // API version, as in Version=2016-11-15; empty for JSON
	Namespace      string   // xmlns of responses; empty for JSON
	Target         string   // prefix of X-Amz-Target, and service in RPC v2's paths; empty for XML protocols
	OtherProtocols []Protocol
	operations     map[string]bool
	errors         map[string]string // code of AWS query -> name in JSON and CBOR, where they differ
	types          map[string]string // Go type name -> its line of the table
}

// Field is how one field of a Go type is spelled.
type Field struct {
	Response string // element or key in a response
	Request  string // parameter or key in a request
	Item     string // element name of a list's members, in either direction
}

// Load reads the table of a service by its signing name.
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
	}
	for line := range strings.Lines(string(text)) {
		key, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
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
		default:
			t.types[key] = rest
		}
	}
	return t, nil
}

// HasOperation tells whether AWS's API has an operation of this name.
func (t *Table) HasOperation(name string) bool { return t.operations[name] }

// Operations lists the operations of AWS's API, sorted.
func (t *Table) Operations() []string { return slices.Sorted(maps.Keys(t.operations)) }

// ErrorName is how an error's code is spelled in JSON and CBOR.
func (t *Table) ErrorName(code string) string {
	if name, ok := t.errors[code]; ok {
		return name
	}
	return code
}

// Exceptions returns the spelling of the fields of a Go type that do not follow
// the protocol's rule, by field name, with the rule's answer filled in where
// only a part is exceptional.
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

// DefaultField is the spelling of a field by the protocol's rule alone.
func (t *Table) DefaultField(field string) Field {
	if t.Protocol == EC2 {
		return Field{Response: strings.ToLower(field[:1]) + field[1:], Request: field, Item: "item"}
	}
	return Field{Response: field, Request: field, Item: "member"}
}
