package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// jsonEncoder encodes Go values as AWS JSON 1.1.
type jsonEncoder struct {
	bytes.Buffer
}

// structure writes the fields that are set, including empty lists.
func (w *jsonEncoder) structure(sh *shape, v reflect.Value) {
	w.WriteByte('{')
	first := true
	for _, m := range sh.fields {
		field := v.Field(m.index)
		if !m.isPresent(field) {
			continue
		}
		if m.pointer {
			field = field.Elem()
		}
		if !first {
			w.WriteByte(',')
		}
		first = false
		w.quote(m.wire.Response)
		w.WriteByte(':')
		w.value(m.shape, field)
	}
	w.WriteByte('}')
}

func (w *jsonEncoder) value(sh *shape, v reflect.Value) {
	switch sh.kind {
	case structure:
		w.structure(sh, v)
	case list:
		w.list(sh, v)
	case mapping:
		w.mapping(sh, v)
	case text:
		w.quote(v.String())
	case boolean:
		w.Write(strconv.AppendBool(w.AvailableBuffer(), v.Bool()))
	case integer:
		w.Write(strconv.AppendInt(w.AvailableBuffer(), v.Int(), 10))
	case decimal:
		f := v.Float()
		if math.IsNaN(f) || math.IsInf(f, 0) {
			w.quote(string(appendFloat(nil, f, 64)))
			return
		}
		w.Write(appendFloat(w.AvailableBuffer(), f, sh.typ.Bits()))
	case blob:
		w.quote(base64.StdEncoding.EncodeToString(v.Bytes()))
	case timestamp:
		// AWS JSON has times in seconds since 1970, to the millisecond.
		ms := v.Interface().(time.Time).UnixMilli()
		w.Write(strconv.AppendFloat(w.AvailableBuffer(), float64(ms)/1000, 'f', -1, 64))
	}
}

func (w *jsonEncoder) list(sh *shape, v reflect.Value) {
	w.WriteByte('[')
	for i := range v.Len() {
		if i > 0 {
			w.WriteByte(',')
		}
		w.value(sh.elem, v.Index(i))
	}
	w.WriteByte(']')
}

func (w *jsonEncoder) mapping(sh *shape, v reflect.Value) {
	w.WriteByte('{')
	for i, key := range sortedKeys(v) {
		if i > 0 {
			w.WriteByte(',')
		}
		w.quote(key.String())
		w.WriteByte(':')
		w.value(sh.elem, v.MapIndex(key))
	}
	w.WriteByte('}')
}

func (w *jsonEncoder) quote(s string) {
	b, err := json.Marshal(s)
	if err != nil { // strings always encode
		b = []byte(`""`)
	}
	w.Write(b)
}

// sortedKeys returns a mapping's keys in an order that is the same in every
// response.
func sortedKeys(v reflect.Value) []reflect.Value {
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	return keys
}
