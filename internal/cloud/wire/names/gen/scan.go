package main

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"aloft.dev/aloft/internal/cloud/wire/names"
)

// The SDK's generated code is regular. There is one function per shape, whose
// first and last lines are not indented, with the wire name as a literal next to
// the field.
var (
	versionLiteral = regexp.MustCompile(`body\.Key\("Version"\)\.String\("([0-9-]+)"\)`)

	// func …_serializeDocumentFilter(v *types.Filter, value query.Value) error { … }
	writer = regexp.MustCompile(`(?ms)^func \w+_serialize(?:Op)?Document\w+\(v \*(?:types\.)?(\w+), value.*?^}`)
	// if v.Values != nil {  objectKey := object.FlatKey("Value")
	written = regexp.MustCompile(
		`if (?:len\()?v\.(\w+)\)? [^\n]*\{\n\s*objectKey := object\.(?:Flat)?Key\("(\w+)"\)\n([^\n]*)`,
	)

	// func …_deserializeDocumentVpc(v **types.Vpc, decoder … { … }
	reader = regexp.MustCompile(`(?ms)^func \w+_deserialize(?:Op)?Document\w+\(v \*\*(?:types\.)?(\w+), decoder.*?^}`)
	// case strings.EqualFold("cidrBlock", t.Name.Local):
	element = regexp.MustCompile(`case strings\.EqualFold\("(\w+)", t\.Name\.Local\):`)
	target  = regexp.MustCompile(`sv\.(\w+)`)

	// func …_deserializeDocumentVpcList(v *[]types.Vpc, decoder … { … }
	listReader = regexp.MustCompile(`(?ms)^func (\w+)\(v \*\[\][\w.]+, decoder.*?^}`)
	// func …_serializeDocumentFilterList(v []types.Filter, value … { … }
	listWriter = regexp.MustCompile(`(?ms)^func (\w+)\(v \[\][\w.]+, value.*?^}`)
	array      = regexp.MustCompile(`value\.Array\("(\w+)"\)`)
	flatKey    = regexp.MustCompile(`object\.FlatKey\(`)

	// CommandFilter_key = CommandFilter.AddMember("key", CommandFilterKey)
	lowerMember = regexp.MustCompile(`(?m)^\s*[A-Z]\w* = ([A-Z]\w*)\.AddMember\("([a-z]\w*)"`)

	// var GraniteServiceVersion20100801 = smithy.NewServiceSchema(_GraniteServiceVersion20100801, "2010-08-01")
	serviceVersion = regexp.MustCompile(`NewServiceSchema\(\w+, "([0-9-]+)"\)`)
	// var LimitExceededFault = smithy.NewSchema(… &smithytraits.AWSQueryError{ErrorCode: "LimitExceeded",
	queryError = regexp.MustCompile(`(?s)var (\w+) = smithy\.NewSchema\([^=]*?AWSQueryError\{ErrorCode: "([\w.]+)"`)

	call = regexp.MustCompile(`(\w+_(?:des|s)erializeDocument\w+)\(`)
)

func apiVersion(source []byte) (string, error) {
	m := versionLiteral.FindSubmatch(source)
	if m == nil {
		return "", fmt.Errorf("no API version in the serializers")
	}
	return string(m[1]), nil
}

// fields maps type and field to the field's names.
type fields map[string]map[string]*names.Field

func (found fields) at(typeName, field []byte) *names.Field {
	t := found[string(typeName)]
	if t == nil {
		t = map[string]*names.Field{}
		found[string(typeName)] = t
	}
	f := t[string(field)]
	if f == nil {
		f = &names.Field{}
		t[string(field)] = f
	}
	return f
}

// scan returns the names in the SDK's serializers and deserializers.
func scan(requests, responses []byte) fields {
	found, lists := fields{}, scanLists(requests, responses)
	for _, fn := range writer.FindAllSubmatch(requests, -1) {
		for _, m := range written.FindAllSubmatch(fn[0], -1) {
			f := found.at(fn[1], m[1])
			f.Request = string(m[2])
			// Parameters of a flattened list do not contain the name of its elements.
			if c := call.FindSubmatch(m[3]); c != nil && !flatKey.Match(m[0]) {
				f.Item = lists[string(c[1])]
			}
		}
	}
	for _, fn := range reader.FindAllSubmatch(responses, -1) {
		found.read(fn[1], fn[0], lists)
	}
	return found
}

// scanLists returns the name of each list's elements, by the function that
// serializes or deserializes the list.
func scanLists(requests, responses []byte) map[string]string {
	lists := map[string]string{}
	for _, fn := range listWriter.FindAllSubmatch(requests, -1) {
		if m := array.FindSubmatch(fn[0]); m != nil {
			lists[string(fn[1])] = string(m[1])
		}
	}
	for _, fn := range listReader.FindAllSubmatch(responses, -1) {
		if m := element.FindSubmatch(fn[0]); m != nil {
			lists[string(fn[1])] = string(m[1])
		}
	}
	return lists
}

// read adds the names in the function that deserializes a type.
func (found fields) read(typeName, function []byte, lists map[string]string) {
	cases := element.FindAllSubmatchIndex(function, -1)
	for i, c := range cases {
		end := len(function)
		if i+1 < len(cases) {
			end = cases[i+1][0]
		}
		body := function[c[1]:end]
		m := target.FindSubmatch(body)
		if m == nil {
			continue
		}
		f := found.at(typeName, m[1])
		f.Response = string(function[c[2]:c[3]])
		if c := call.FindSubmatch(body); c != nil {
			if item := lists[string(c[1])]; item != "" {
				f.Item = item
			}
			if bytes.HasSuffix(c[1], []byte("Unwrapped")) {
				f.Item = names.Flattened
			}
		}
	}
}

// scanSchemas returns the members of AWS JSON types that start with a lower-case
// letter, which their Go fields cannot.
func scanSchemas(source []byte) map[string]map[string]*names.Field {
	found := map[string]map[string]*names.Field{}
	for _, m := range lowerMember.FindAllSubmatch(source, -1) {
		typeName, name := string(m[1]), string(m[2])
		if found[typeName] == nil {
			found[typeName] = map[string]*names.Field{}
		}
		found[typeName][strings.ToUpper(name[:1])+name[1:]] = &names.Field{Response: name, Request: name}
	}
	return found
}

// nameMessages names the types of the operations' requests and responses, which schemas
// name as AWS's model does, like their Go types.
func nameMessages(found map[string]map[string]*names.Field, operations []string) {
	for _, operation := range operations {
		for model, goType := range map[string]string{"Request": "Input", "Response": "Output"} {
			if fields, ok := found[operation+model]; ok {
				delete(found, operation+model)
				found[operation+goType] = fields
			}
		}
	}
}

// queryNames writes the API version of a service whose SDK does not speak query,
// and the errors whose code in AWS query differs from their name.
func queryNames(b *strings.Builder, schemas []byte) error {
	version := serviceVersion.FindSubmatch(schemas)
	if version == nil {
		return errors.New("no API version in the schemas")
	}
	fmt.Fprintf(b, "version %s\n", version[1])
	for _, m := range queryError.FindAllSubmatch(schemas, -1) {
		if name, code := string(m[1]), string(m[2]); name != code {
			fmt.Fprintf(b, "errors %s:%s\n", code, name)
		}
	}
	return nil
}
