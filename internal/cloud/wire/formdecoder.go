package wire

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"aloft.dev/aloft/internal/cloud/wire/names"
)

// formDecoder decodes a parameter tree into a Go value.
type formDecoder struct {
	protocol names.Protocol
	service  string   // decides what empty texts mean
	unknown  []string // full names of parameters that no field corresponds to
}

// read decodes the form of a whole request into v, a structure.
func (r *formDecoder) read(f *form, sh *shape, v reflect.Value) error {
	err := r.structure("", f, sh, v)
	slices.Sort(r.unknown)
	return err
}

func (r *formDecoder) value(path string, f *form, m member, sh *shape, v reflect.Value) error {
	switch sh.kind {
	case structure:
		return r.structure(path+".", f, sh, v)
	case list:
		return r.list(path, f, m, sh, v)
	case mapping:
		return r.mapping(path, f, sh, v)
	}
	for name := range f.children {
		r.unknown = append(r.unknown, path+"."+name)
	}
	if !f.set {
		return nil
	}
	return setScalar(path, f.value, sh, v)
}

func (r *formDecoder) structure(prefix string, f *form, sh *shape, v reflect.Value) error {
	for name, child := range f.children {
		i, ok := sh.byName[name]
		if !ok {
			if !sh.ignored[name] {
				r.unknown = append(r.unknown, child.names(prefix+name)...)
			}
			continue
		}
		m := sh.fields[i]
		if m.shape.kind == union {
			return unionNotImplemented(prefix + name)
		}
		if m.shape.kind == text && child.isEmpty() {
			switch emptyTextOf(r.service, sh.typ.Name(), m.name) {
			case emptyOmitted:
				continue
			case emptyRefused:
				return emptyTextRefused(prefix + name)
			case emptyGiven: // as any other text
			}
		}
		if err := r.value(prefix+name, child, m, m.shape, settableField(m, v)); err != nil {
			return err
		}
	}
	return nil
}

// settableField returns the value of a field, which it allocates if it is a
// pointer.
func settableField(m member, v reflect.Value) reflect.Value {
	field := v.Field(m.index)
	if !m.pointer {
		return field
	}
	if field.IsNil() {
		field.Set(reflect.New(m.shape.typ))
	}
	return field.Elem()
}

// list decodes Name.1, Name.2 (EC2) or Name.member.1 (AWS query). AWS query
// writes an empty list as "Name=".
func (r *formDecoder) list(path string, f *form, m member, sh *shape, v reflect.Value) error {
	if f.isEmpty() {
		v.Set(reflect.MakeSlice(sh.typ, 0, 0))
		return nil
	}
	if r.protocol != names.EC2 {
		item := m.wire.Item
		for name, child := range f.children {
			if name != item {
				r.unknown = append(r.unknown, child.names(path+"."+name)...)
			}
		}
		if f = f.children[item]; f == nil {
			return nil
		}
		path += "." + item
	}
	numbered, keys, others := f.elements()
	for _, name := range others {
		r.unknown = append(r.unknown, f.children[name].names(path+"."+name)...)
	}
	out := reflect.MakeSlice(sh.typ, len(numbered), len(numbered))
	for i, child := range numbered {
		// No AWS request has a list of lists; its elements would have the default name.
		if err := r.value(path+"."+keys[i], child, m, sh.elem, out.Index(i)); err != nil {
			return err
		}
	}
	v.Set(out)
	return nil
}

// mapping decodes Name.entry.1.key and Name.entry.1.value, which Amazon SNS writes as
// Name.entry.1.Name and Name.entry.1.Value for the attributes of messages.
func (r *formDecoder) mapping(path string, f *form, sh *shape, v reflect.Value) error {
	out := reflect.MakeMap(sh.typ)
	for name, child := range f.children {
		if name != "entry" {
			r.unknown = append(r.unknown, child.names(path+"."+name)...)
			continue
		}
		numbered, keys, _ := child.elements()
		for i, entry := range numbered {
			key := cmp.Or(entry.children["key"], entry.children["Name"])
			value := cmp.Or(entry.children["value"], entry.children["Value"])
			if key == nil {
				return malformedQuery(fmt.Sprintf("The parameter %s.entry.%s has no key.", path, keys[i]))
			}
			element := reflect.New(sh.elem.typ).Elem()
			if value != nil {
				if err := r.value(path+".entry."+keys[i]+".value", value, member{}, sh.elem, element); err != nil {
					return err
				}
			}
			out.SetMapIndex(reflect.ValueOf(key.value).Convert(sh.typ.Key()), element)
		}
	}
	v.Set(out)
	return nil
}

// names returns the parameters in a tree, to report unknown ones.
func (f *form) names(path string) []string {
	var out []string
	if f.set {
		out = append(out, path)
	}
	for name, child := range f.children {
		out = append(out, child.names(path+"."+name)...)
	}
	return out
}

// setScalar decodes the text of one parameter.
func setScalar(path, s string, sh *shape, v reflect.Value) error {
	switch sh.kind {
	case text:
		v.SetString(s)
	case boolean:
		switch strings.ToLower(s) {
		case "true", "1":
			v.SetBool(true)
		case "false", "0":
			v.SetBool(false)
		default:
			return invalidValue(path, s, "Must be true or false.")
		}
	case integer:
		n, err := strconv.ParseInt(s, 10, sh.typ.Bits())
		if err != nil {
			return invalidValue(path, s, "Must be an integer.")
		}
		v.SetInt(n)
	case decimal:
		n, err := strconv.ParseFloat(s, sh.typ.Bits())
		if err != nil {
			return invalidValue(path, s, "Must be a number.")
		}
		v.SetFloat(n)
	case blob:
		b, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			return invalidValue(path, s, "Must be base64.")
		}
		v.SetBytes(b)
	case timestamp:
		t, err := time.Parse(time.RFC3339, s)
		if err != nil {
			return invalidValue(path, s, "Must be an ISO 8601 time such as 2006-01-02T15:04:05Z.")
		}
		v.Set(reflect.ValueOf(t.UTC()))
	case structure, list, mapping: // formDecoder.value decodes them
	}
	return nil
}
