package main

import (
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"

	"aloft.dev/aloft/internal/cloud/wire/names"
)

var (
	// func (m *awsRestxml_serializeOpGetChange) HandleSerialize(… SplitURI("/2013-04-01/change/{Id}") … Method = "GET"
	route = regexp.MustCompile(
		`(?s)func \(m \*awsRestxml_serializeOp(\w+)\) HandleSerialize\(.*?SplitURI\("([^"]+)"\).*?Method = "(\w+)"`,
	)

	// func awsRestxml_serializeOpHttpBindingsGetChangeInput(v *GetChangeInput, … { … }
	binder = regexp.MustCompile(`(?ms)^func awsRestxml_serializeOpHttpBindings\w+\(v \*(\w+), .*?^}`)
	// encoder.SetURI("Id").String(*v.Id)
	bound = regexp.MustCompile(`encoder\.Set(URI|Query|Header)\("([\w-]+)"\)\.\w+\((?:[\w.]+\()?\*?v\.(\w+)\)`)

	// func awsRestxml_deserializeOpHttpBindingsCreateHostedZoneOutput(v *CreateHostedZoneOutput, … { … }
	headerReader = regexp.MustCompile(`(?ms)^func awsRestxml_deserializeOpHttpBindings\w+\(v \*(\w+), .*?^}`)
	// response.Header.Values("Location"); … v.Location =
	headerRead = regexp.MustCompile(`(?s)response\.Header\.Values\("([\w-]+)"\).*?v\.(\w+) =`)

	// func awsRestxml_serializeDocumentChange(v *types.Change, value smithyxml.Value) error { … }
	bodyWriter = regexp.MustCompile(
		`(?ms)^func \w+_serialize(?:Op)?Document\w+\(v \*(?:types\.)?(\w+), value smithyxml.*?^}`,
	)
	// if v.Changes != nil { … Local: "Changes", … serializeDocumentChanges(v.Changes, el)
	bodyWritten = regexp.MustCompile(`(?s)if (?:len\()?v\.(\w+)\)? .*?Local: "(\w+)".*?\bel\)?[.)\n][^\n]*`)
	// el := value.FlattenedElement(root)
	flattened = regexp.MustCompile(`\.FlattenedElement\(`)
	// func awsRestxml_serializeDocumentChanges(v []types.Change, value … { … Local: "Change",
	bodyListWriter = regexp.MustCompile(`(?ms)^func (\w+)\(v \[\][\w.]+, value smithyxml.*?^}`)
	local          = regexp.MustCompile(`Local: "(\w+)"`)
)

// places are the SDK's names of places in requests.
var places = map[string]names.Place{"URI": names.InPath, "Query": names.InQuery, "Header": names.InHeader}

// scanRest returns the names in the bodies of a REST service, and writes its routes and
// the fields that are not in bodies.
func scanRest(w io.Writer, requests, responses []byte) fields {
	for _, m := range route.FindAllSubmatch(requests, -1) {
		fmt.Fprintf(w, "route %s %s %s\n", m[1], m[3], m[2])
	}
	writeBindings(w, scanBindings(requests, responses))
	return scanBodies(requests, responses)
}

// bindings are the fields of each type that are not in bodies.
type bindings map[string][]string

func (b bindings) add(typeName, field []byte, place names.Place, name []byte) {
	b[string(typeName)] = append(b[string(typeName)], fmt.Sprintf("%s:%s:%s", field, place, name))
}

func writeBindings(w io.Writer, b bindings) {
	for _, typeName := range slices.Sorted(maps.Keys(b)) {
		fmt.Fprintln(w, "bind", typeName, strings.Join(b[typeName], " "))
	}
}

// scanBindings returns the fields in paths, query strings and headers.
func scanBindings(requests, responses []byte) bindings {
	found := bindings{}
	for _, fn := range binder.FindAllSubmatch(requests, -1) {
		for _, m := range bound.FindAllSubmatch(fn[0], -1) {
			found.add(fn[1], m[3], places[string(m[1])], m[2])
		}
	}
	for _, fn := range headerReader.FindAllSubmatch(responses, -1) {
		for _, m := range headerRead.FindAllSubmatch(fn[0], -1) {
			found.add(fn[1], m[2], names.InHeader, m[1])
		}
	}
	return found
}

// scanBodies returns the names of elements.
func scanBodies(requests, responses []byte) fields {
	found, lists := fields{}, scanLists(nil, responses)
	for _, fn := range bodyListWriter.FindAllSubmatch(requests, -1) {
		if m := local.FindSubmatch(fn[0]); m != nil {
			lists[string(fn[1])] = string(m[1])
		}
	}
	for _, fn := range bodyWriter.FindAllSubmatch(requests, -1) {
		for _, m := range bodyWritten.FindAllSubmatch(fn[0], -1) {
			f := found.at(fn[1], m[1])
			f.Request = string(m[2])
			if c := call.FindSubmatch(m[0]); c != nil {
				f.Item = lists[string(c[1])]
			}
			if flattened.Match(m[0]) {
				f.Item = names.Flattened
			}
		}
	}
	for _, fn := range reader.FindAllSubmatch(responses, -1) {
		found.read(fn[1], fn[0], lists)
	}
	return found
}
