package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"math"
	"reflect"
	"strconv"
	"time"

	"aloft.dev/aloft/internal/cloud/wire/names"
)

// xmlEncoder encodes Go values as the elements of an EC2 or AWS query response.
type xmlEncoder struct {
	bytes.Buffer
}

const (
	xmlHeader = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"
	// isoTime is the format of times in AWS's query APIs.
	isoTime = "2006-01-02T15:04:05.000Z"
)

// response writes the whole document for an operation's output. On EC2,
// operations without output members return true.
func (w *xmlEncoder) response(table *names.Table, operation, requestID string, sh *shape, out reflect.Value) {
	w.WriteString(xmlHeader)
	w.WriteString("<" + operation + "Response xmlns=\"" + table.Namespace + "\">")
	if table.Protocol == names.EC2 {
		w.element("requestId", requestID)
		if len(sh.fields) == 0 {
			w.element("return", "true")
		}
		w.structure(sh, out)
	} else {
		w.WriteString("<" + operation + "Result>")
		w.structure(sh, out)
		w.WriteString("</" + operation + "Result><ResponseMetadata>")
		w.element("RequestId", requestID)
		w.WriteString("</ResponseMetadata>")
	}
	w.WriteString("</" + operation + "Response>")
}

// structure writes the fields that are set. A nil list is left out. An empty one
// becomes an empty element, such as EC2's <groupSet/>.
func (w *xmlEncoder) structure(sh *shape, v reflect.Value) {
	for _, m := range sh.fields {
		field := v.Field(m.index)
		if m.at.Place != names.InBody || !m.isPresent(field) {
			continue
		}
		if m.pointer {
			field = field.Elem()
		}
		if m.wire.Item == names.Flattened {
			for i := range field.Len() {
				w.value(m.wire.Response, "", m.shape.elem, field.Index(i))
			}
			continue
		}
		w.value(m.wire.Response, m.wire.Item, m.shape, field)
	}
}

//nolint:unparam // item names a list's elements, at every depth
func (w *xmlEncoder) value(name, item string, sh *shape, v reflect.Value) {
	w.WriteByte('<')
	w.WriteString(name)
	w.attributes(sh, v)
	w.WriteByte('>')
	switch sh.kind {
	case structure:
		w.structure(sh, v)
	case list:
		for i := range v.Len() {
			w.value(item, item, sh.elem, v.Index(i))
		}
	case mapping:
		for _, key := range sortedKeys(v) {
			w.WriteString("<entry>")
			w.element("key", key.String())
			w.value("value", item, sh.elem, v.MapIndex(key))
			w.WriteString("</entry>")
		}
	case text:
		w.text(v.String())
	case boolean:
		w.Write(strconv.AppendBool(w.AvailableBuffer(), v.Bool()))
	case integer:
		w.Write(strconv.AppendInt(w.AvailableBuffer(), v.Int(), 10))
	case decimal:
		w.Write(appendFloat(w.AvailableBuffer(), v.Float(), sh.typ.Bits()))
	case blob:
		w.Write(base64.StdEncoding.AppendEncode(w.AvailableBuffer(), v.Bytes()))
	case timestamp:
		w.Write(v.Interface().(time.Time).UTC().AppendFormat(w.AvailableBuffer(), isoTime))
	}
	w.WriteString("</")
	w.WriteString(name)
	w.WriteByte('>')
}

// attributes writes the fields of a structure that are attributes of its element.
func (w *xmlEncoder) attributes(sh *shape, v reflect.Value) {
	for _, m := range sh.fields {
		if m.at.Place == names.AsAttribute {
			w.WriteString(` xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:` + m.at.Name + `="`)
			w.text(v.Field(m.index).String())
			w.WriteByte('"')
		}
	}
}

func (w *xmlEncoder) element(name, value string) {
	w.WriteString("<" + name + ">")
	w.text(value)
	w.WriteString("</" + name + ">")
}

func (w *xmlEncoder) text(s string) {
	// Writes to a buffer do not fail. Characters that XML cannot carry become U+FFFD.
	_ = xml.EscapeText(&w.Buffer, []byte(s))
}

// appendFloat appends a number without loss of precision, and infinities and NaN
// as AWS spells them.
func appendFloat(b []byte, f float64, bits int) []byte {
	switch {
	case math.IsNaN(f):
		return append(b, "NaN"...)
	case math.IsInf(f, 1):
		return append(b, "Infinity"...)
	case math.IsInf(f, -1):
		return append(b, "-Infinity"...)
	}
	return strconv.AppendFloat(b, f, 'g', -1, bits)
}
