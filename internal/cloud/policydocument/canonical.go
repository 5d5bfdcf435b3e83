package policydocument

import (
	"bytes"
	"encoding/json"
	"slices"
)

// The order of fields in what AWS makes of a document.
var (
	documentOrder  = []string{"Version", "Id", "Statement"}
	statementOrder = []string{
		"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition",
	}
)

// Compact returns a document without white space between its parts. Some services keep policies so
// (Amazon SNS does). A text that is not JSON is returned as it is.
func Compact(text string) string {
	var out bytes.Buffer
	if json.Compact(&out, []byte(text)) != nil {
		return text
	}
	return out.String()
}

// Canonical returns a document without white space and with its fields in AWS's order. Other
// services keep policies so (Amazon CloudWatch Logs does). A text that is not a policy is returned as
// Compact returns it.
func Canonical(text string) string {
	document, err := object([]byte(text))
	if err != nil {
		return Compact(text)
	}
	for i, m := range document {
		if m.name == "Statement" {
			document[i].value = canonicalStatements(m.value)
		}
	}
	return Compact(string(ordered(document, documentOrder)))
}

// canonicalStatements orders the fields of a statement, or of each one in an array.
func canonicalStatements(text json.RawMessage) json.RawMessage {
	statements, several := array(text)
	if !several {
		statements = []json.RawMessage{text}
	}
	for i, statement := range statements {
		if fields, err := object(statement); err == nil {
			statements[i] = ordered(fields, statementOrder)
		}
	}
	if !several {
		return statements[0]
	}
	out := json.RawMessage{'['}
	for i, statement := range statements {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, statement...)
	}
	return append(out, ']')
}

// ordered returns an object with its members in an order. Those that the order does not have come
// last, as they were.
func ordered(members []member, order []string) json.RawMessage {
	place := func(m member) int {
		if i := slices.Index(order, m.name); i >= 0 {
			return i
		}
		return len(order)
	}
	members = slices.Clone(members)
	slices.SortStableFunc(members, func(a, b member) int { return place(a) - place(b) })
	out := []byte{'{'}
	for i, m := range members {
		if i > 0 {
			out = append(out, ',')
		}
		name, _ := json.Marshal(m.name) // a string
		out = append(append(append(out, name...), ':'), m.value...)
	}
	return append(out, '}')
}
