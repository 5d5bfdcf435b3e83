package filterpattern

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// fields is a pattern for messages whose fields are separated by spaces.
type fields struct {
	before, after []field // the ellipsis
	open          bool    // there is one, which stands for any number of fields
}

// field is one field of a pattern. A field without a name has its number as name.
type field struct {
	name  string
	holds condition // nil: for every value
}

var (
	fieldNameForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_\-]*`)
	fieldWordForm = regexp.MustCompile(`^[^\s"%(){}&|,\[\]]+`)
)

const ellipsis = "..."

// parseFields reads [name, name=value, ..., name>1 && name<5].
func parseFields(text string) (*fields, error) {
	p := parser{rest: strings.TrimPrefix(text, "["), words: fieldWordForm}
	f := &fields{}
	for number := 1; ; number++ {
		if p.accept(ellipsis) {
			if f.open {
				return nil, errors.New("the filter pattern has more than one ellipsis")
			}
			f.open = true
		} else {
			one, err := p.field(number)
			if err != nil {
				return nil, err
			}
			if f.open {
				f.after = append(f.after, one)
			} else {
				f.before = append(f.before, one)
			}
		}
		if p.accept(",") {
			continue
		}
		if !p.accept("]") || strings.TrimSpace(p.rest) != "" {
			return nil, fmt.Errorf("unexpected %q in the filter pattern", p.rest)
		}
		return f, nil
	}
}

// field reads a name, or conditions about the field of one name.
func (p *parser) field(number int) (field, error) {
	p.space()
	f := field{name: strconv.Itoa(number)}
	start := strings.TrimLeft(p.rest, "( \t")
	name := fieldNameForm.FindString(start)
	if name == "" {
		return f, nil
	}
	f.name = name
	if rest := strings.TrimLeft(start[len(name):], " \t"); rest == "" || rest[0] == ',' || rest[0] == ']' {
		p.rest = rest
		return f, nil
	}
	p.property = func() ([]step, error) {
		p.space()
		if got := fieldNameForm.FindString(p.rest); got != name {
			return nil, fmt.Errorf("expected the field %s at %q in the filter pattern", name, p.rest)
		}
		p.rest = p.rest[len(name):]
		return nil, nil // the document is the value of the field
	}
	var err error
	f.holds, err = p.either()
	return f, err
}

// valueForm matches one field of a message: in quotation marks, in brackets, or a word.
var valueForm = regexp.MustCompile(`"[^"]*"|\[[^\]]*\]|\S+`)

// split returns the values of a message's fields.
func split(message string) []string {
	values := valueForm.FindAllString(message, -1)
	for i, v := range values {
		if len(v) >= 2 && (v[0] == '"' && v[len(v)-1] == '"' || v[0] == '[' && v[len(v)-1] == ']') {
			values[i] = v[1 : len(v)-1]
		}
	}
	return values
}

// assign returns the values of a message by the fields of the pattern. ok is false if the message has another
// number of fields.
func (f *fields) assign(message string) (before, after []string, ok bool) {
	values := split(message)
	named := len(f.before) + len(f.after)
	if len(values) < named || len(values) > named && !f.open {
		return nil, nil, false
	}
	return values[:len(f.before)], values[len(values)-len(f.after):], true
}

func (f *fields) match(message string) bool {
	before, after, ok := f.assign(message)
	return ok && hold(f.before, before) && hold(f.after, after)
}

func hold(list []field, values []string) bool {
	for i, one := range list {
		if one.holds != nil && !one.holds(scalarOf(values[i])) {
			return false
		}
	}
	return true
}

// scalarOf returns a text as conditions compare it: as a number if it is one.
func scalarOf(text string) any {
	if numberForm.FindString(text) == text && text != "" {
		return json.Number(text)
	}
	return text
}

// values returns the values of a message by the names of fields.
func (f *fields) values(message string) map[string]string {
	found := map[string]string{}
	before, after, ok := f.assign(message)
	if !ok {
		return found
	}
	for i, one := range f.before {
		found["$"+one.name] = before[i]
	}
	for i, one := range f.after {
		found["$"+one.name] = after[i]
	}
	return found
}

// Values returns the values that the pattern names in a message, by their selectors: $name or $.property.
func (p Pattern) Values(message string) map[string]string {
	found := map[string]string{}
	if p.fields != nil {
		return p.fields.values(message)
	}
	if document, ok := documentOf(message); ok {
		for selector, path := range p.selectors {
			if text, ok := valueText(find(document, path)); ok {
				found[selector] = text
			}
		}
	}
	return found
}

// Value returns the value that a selector selects in a message.
func (p Pattern) Value(message, selector string) (text string, ok bool) {
	if p.fields != nil {
		text, ok = p.fields.values(message)[selector]
		return text, ok
	}
	selecting := parser{rest: selector}
	path, err := selecting.selector()
	document, isJSON := documentOf(message)
	if err != nil || selecting.rest != "" || !isJSON {
		return "", false
	}
	return valueText(find(document, path))
}

// IsSelector reports whether a text selects a value in messages.
func IsSelector(text string) bool {
	selecting := parser{rest: text}
	if path, err := selecting.selector(); err == nil && len(path) > 0 && selecting.rest == "" {
		return true
	}
	name, ok := strings.CutPrefix(text, "$")
	return ok && name != "" && regexp.MustCompile(`^[A-Za-z0-9_\-]+$`).MatchString(name)
}

// valueText returns a scalar as text. A property that does not exist has none, and neither has null.
func valueText(value any) (text string, ok bool) {
	switch v := value.(type) {
	case string, json.Number:
		return textOf(v), true
	case bool:
		return strconv.FormatBool(v), true
	}
	return "", false
}
