package policydocument

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// member is a member of a JSON object.
type member struct {
	name  string
	value json.RawMessage
}

// object returns the members of a JSON object in their order. Unlike encoding/json it
// refuses a name that is there twice, because one of its values would be ignored.
func object(text []byte) ([]member, error) {
	if !json.Valid(text) {
		return nil, errors.New("is not valid JSON")
	}
	d := json.NewDecoder(bytes.NewReader(text))
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		return nil, errors.New("is not a JSON object")
	}
	var members []member
	seen := map[string]bool{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("read a name: %w", err)
		}
		m := member{name: fmt.Sprint(name)}
		if seen[m.name] {
			return nil, fmt.Errorf("has the field %s twice", m.name)
		}
		seen[m.name] = true
		if err := d.Decode(&m.value); err != nil {
			return nil, fmt.Errorf("read %s: %w", m.name, err)
		}
		members = append(members, m)
	}
	if _, err := d.Token(); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read the end of the object: %w", err)
	}
	return members, nil
}

// array returns the elements of a JSON array, and whether text is one.
func array(text []byte) ([]json.RawMessage, bool) {
	if len(text) == 0 || text[0] != '[' {
		return nil, false
	}
	var list []json.RawMessage
	return list, json.Unmarshal(text, &list) == nil
}

// stringOf returns the string that text is, and whether it is one.
func stringOf(text []byte) (string, bool) {
	if len(text) == 0 || text[0] != '"' {
		return "", false
	}
	var s string
	return s, json.Unmarshal(text, &s) == nil
}

// stringsOf returns the elements of an array of strings, or the one string that text is.
// ok reports whether text is either.
func stringsOf(text []byte) (list []string, ok bool) { return listOf(text, stringOf) }

// scalarsOf returns the strings, numbers and booleans in an array, or the one of these
// that text is.
func scalarsOf(text []byte) (list []string, ok bool) { return listOf(text, scalarOf) }

func listOf(text []byte, read func([]byte) (string, bool)) ([]string, bool) {
	elements, isArray := array(text)
	if !isArray {
		elements = []json.RawMessage{text}
	}
	var list []string
	for _, element := range elements {
		s, ok := read(element)
		if !ok {
			return nil, false
		}
		list = append(list, s)
	}
	return list, true
}

// scalarOf returns the string, number or boolean that text is.
func scalarOf(text []byte) (string, bool) {
	if s, ok := stringOf(text); ok {
		return s, true
	}
	s := string(text)
	return s, s != "null" && s[0] != '{' && s[0] != '['
}
