package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"time"
)

// jsonDecoder decodes an AWS JSON document into a Go value.
type jsonDecoder struct {
	parse   func(body []byte) (any, error) // parses the document's encoding; parseJSON if nil
	seen    []string                       // top-level members
	unknown []string                       // paths of members that no field corresponds to
}

// read decodes the body of a whole request into v, a structure. An empty body is
// an empty document.
func (r *jsonDecoder) read(body []byte, sh *shape, v reflect.Value) error {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	parse := parseJSON
	if r.parse != nil {
		parse = r.parse
	}
	document, err := parse(body)
	if err != nil {
		return err
	}
	if object, ok := document.(map[string]any); ok {
		r.seen = slices.Sorted(maps.Keys(object))
	}
	err = r.value("", document, sh, v)
	slices.Sort(r.unknown)
	return err
}

func parseJSON(body []byte) (document any, err error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&document); err != nil {
		return nil, serializationError("The request body is not valid JSON.")
	}
	if d.More() {
		return nil, serializationError("The request body holds more than one JSON document.")
	}
	return document, nil
}

func (r *jsonDecoder) value(path string, in any, sh *shape, v reflect.Value) error {
	switch sh.kind {
	case structure:
		object, ok := in.(map[string]any)
		if !ok {
			return wrongType(path, "an object")
		}
		return r.structure(path, object, sh, v)
	case list:
		array, ok := in.([]any)
		if !ok {
			return wrongType(path, "a list")
		}
		out := reflect.MakeSlice(sh.typ, len(array), len(array))
		for i, element := range array {
			if err := r.value(fmt.Sprintf("%s[%d]", path, i), element, sh.elem, out.Index(i)); err != nil {
				return err
			}
		}
		v.Set(out)
		return nil
	case mapping:
		object, ok := in.(map[string]any)
		if !ok {
			return wrongType(path, "an object")
		}
		out := reflect.MakeMapWithSize(sh.typ, len(object))
		for key, value := range object {
			element := reflect.New(sh.elem.typ).Elem()
			if err := r.value(path+"."+key, value, sh.elem, element); err != nil {
				return err
			}
			out.SetMapIndex(reflect.ValueOf(key).Convert(sh.typ.Key()), element)
		}
		v.Set(out)
		return nil
	case boolean:
		b, ok := in.(bool)
		if !ok {
			return wrongType(path, "true or false")
		}
		v.SetBool(b)
		return nil
	}
	return jsonScalar(path, in, sh, v)
}

func (r *jsonDecoder) structure(path string, object map[string]any, sh *shape, v reflect.Value) error {
	for name, value := range object {
		at := name
		if path != "" {
			at = path + "." + name
		}
		i, ok := sh.byName[name]
		if !ok {
			r.unknown = append(r.unknown, at)
			continue
		}
		if value == nil {
			continue // null is absent
		}
		m := sh.fields[i]
		if m.shape.kind == union {
			return unionNotImplemented(at)
		}
		if err := r.value(at, value, m.shape, settableField(m, v)); err != nil {
			return err
		}
	}
	return nil
}

// jsonScalar decodes strings, numbers and what is encoded as either.
func jsonScalar(path string, in any, sh *shape, v reflect.Value) error {
	switch sh.kind {
	case text:
		s, ok := in.(string)
		if !ok {
			return wrongType(path, "a string")
		}
		v.SetString(s)
	case blob:
		s, ok := in.(string)
		b, err := base64.StdEncoding.DecodeString(s)
		if !ok || err != nil {
			return wrongType(path, "a base64 string")
		}
		v.SetBytes(b)
	case structure, list, mapping, boolean: // jsonDecoder.value decodes them
	default:
		return jsonNumber(path, in, sh, v)
	}
	return nil
}

// jsonNumber decodes numbers and what is encoded as one.
func jsonNumber(path string, in any, sh *shape, v reflect.Value) error {
	n, isNumber := in.(json.Number)
	switch sh.kind {
	case integer:
		i, err := strconv.ParseInt(n.String(), 10, sh.typ.Bits())
		if !isNumber || err != nil {
			return wrongType(path, "an integer")
		}
		v.SetInt(i)
	case decimal:
		if s, ok := in.(string); ok {
			n = json.Number(s) // NaN, Infinity
		}
		f, err := strconv.ParseFloat(n.String(), sh.typ.Bits())
		if err != nil {
			return wrongType(path, "a number")
		}
		v.SetFloat(f)
	case timestamp:
		f, err := strconv.ParseFloat(n.String(), 64)
		if !isNumber || err != nil || math.Abs(f) > 1e12 {
			return wrongType(path, "a time in seconds since 1970")
		}
		v.Set(reflect.ValueOf(time.UnixMilli(int64(math.Round(f * 1000))).UTC()))
	}
	return nil
}

func unionNotImplemented(path string) *Error {
	return NotImplemented("the parameter %s", path)
}

func serializationError(why string) *Error { return Errorf("SerializationException", "%s", why) }

func wrongType(path, expected string) *Error {
	if path == "" {
		path = "The request body"
	}
	return serializationError(fmt.Sprintf("%s must be %s.", path, expected))
}
