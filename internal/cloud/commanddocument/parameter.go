package commanddocument

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// Parameter is a parameter of a document.
type Parameter struct {
	Type        string          `json:"type"`
	Description string          `json:"description"`
	Default     json.RawMessage `json:"default"` // nil: a value is required
	Allowed     texts           `json:"allowedValues"`
	Pattern     string          `json:"allowedPattern"`
	MinItems    *int            `json:"minItems"`
	MaxItems    *int            `json:"maxItems"`
	MinChars    *int            `json:"minChars"`
	MaxChars    *int            `json:"maxChars"`
	Display     string          `json:"displayType"`

	form *regexp.Regexp
}

// texts are values, which may be numbers or Booleans, as texts.
type texts []string

// UnmarshalJSON implements json.Unmarshaler.
func (t *texts) UnmarshalJSON(data []byte) error {
	var all []json.RawMessage
	if err := json.Unmarshal(data, &all); err != nil {
		return err
	}
	for _, one := range all {
		var s string
		if json.Unmarshal(one, &s) != nil {
			s = string(one)
		}
		*t = append(*t, s)
	}
	return nil
}

// compile checks the definition of a parameter.
func (p *Parameter) compile(name string) error {
	switch p.Type {
	case "String", "StringList", "Integer", "Boolean", "StringMap", "MapList":
	default:
		return fmt.Errorf("the type %q of the parameter %s is invalid", p.Type, name)
	}
	if p.Pattern != "" {
		form, err := regexp.Compile(`^(?:` + p.Pattern + `)$`)
		if err != nil {
			return fmt.Errorf("the allowedPattern of the parameter %s is invalid: %w", name, err)
		}
		p.form = form
	}
	if p.Default == nil {
		return nil
	}
	if _, ok := p.defaultValue(); !ok {
		return fmt.Errorf("the default of the parameter %s is not of its type", name)
	}
	return nil
}

// defaultValue returns the default, and reports whether it is of the parameter's type.
func (p Parameter) defaultValue() (any, bool) {
	var s string
	var list []string
	switch p.Type {
	case "String":
		ok := json.Unmarshal(p.Default, &s) == nil
		return s, ok
	case "StringList":
		ok := json.Unmarshal(p.Default, &list) == nil
		return list, ok
	}
	if json.Unmarshal(p.Default, &s) != nil { // as AWS writes numbers and Booleans, it may be a text
		s = string(p.Default)
	}
	return p.parse(s)
}

// parse returns the value that a text is for types other than text and lists of it.
func (p Parameter) parse(text string) (any, bool) {
	var err error
	switch p.Type {
	case "Integer":
		_, err = strconv.ParseInt(text, 10, 64)
		return text, err == nil
	case "Boolean":
		return text, text == "true" || text == "false"
	case "StringMap":
		var v map[string]any
		err = json.Unmarshal([]byte(text), &v)
		return v, err == nil
	}
	var v []map[string]any
	err = json.Unmarshal([]byte(text), &v)
	return v, err == nil
}

// value returns the value of a parameter, or why it cannot be the given one; nil: none is given.
func (p Parameter) value(name string, given []string) (v any, problem string) {
	switch {
	case given == nil && p.Default == nil:
		return nil, fmt.Sprintf("The parameter %s is required.", name)
	case given == nil:
		v, _ = p.defaultValue() // compile has checked it
		return v, ""
	case p.Type != "StringList" && len(given) != 1:
		return nil, fmt.Sprintf("The parameter %s must have one value.", name)
	}
	for _, text := range given {
		if problem := p.check(name, text); problem != "" {
			return nil, problem
		}
	}
	switch p.Type {
	case "StringList":
		if p.MinItems != nil && len(given) < *p.MinItems || p.MaxItems != nil && len(given) > *p.MaxItems {
			return nil, fmt.Sprintf("The parameter %s has %d values, which is not between its limits.",
				name, len(given))
		}
		return given, ""
	case "String":
		return given[0], ""
	}
	v, ok := p.parse(given[0])
	if !ok {
		return nil, fmt.Sprintf("The value of the parameter %s, %s, is not of the type %s.", name, given[0], p.Type)
	}
	return v, ""
}

// check returns why a text is no value of a parameter, or of its list.
func (p Parameter) check(name, text string) (problem string) {
	length := utf8.RuneCountInString(text)
	switch {
	case p.Allowed != nil && !slices.Contains(p.Allowed, text):
		return fmt.Sprintf("The value of the parameter %s, %s, is not one of %q.", name, text, p.Allowed)
	case p.form != nil && !p.form.MatchString(text):
		return fmt.Sprintf("The value of the parameter %s, %s, does not match the pattern %s.", name, text, p.Pattern)
	case p.MinChars != nil && length < *p.MinChars || p.MaxChars != nil && length > *p.MaxChars:
		return fmt.Sprintf("The value of the parameter %s has %d characters, which is not between its limits.",
			name, length)
	}
	return ""
}

// DefaultText returns the default as a description of the document has it; nil: there is none.
func (p Parameter) DefaultText() *string {
	if p.Default == nil {
		return nil
	}
	var s string
	if json.Unmarshal(p.Default, &s) != nil {
		s = string(p.Default)
	}
	return &s
}

// parseTimeout returns how long a script may take.
func parseTimeout(text string) (time.Duration, string) {
	seconds, err := strconv.Atoi(text)
	if err != nil || seconds < 1 || seconds > maxTimeout {
		return 0, fmt.Sprintf("timeoutSeconds, %s, is not a number from 1 to %d.", text, maxTimeout)
	}
	return time.Duration(seconds) * time.Second, ""
}
