package wire

import (
	"encoding/base64"
	"encoding/json"
	"reflect"
	"strconv"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"
)

// cborEpochTag tags times in seconds since 1970 (RFC 8949, section 3.4.2).
const cborEpochTag = 1

// parseCBOR parses a document into the values that the same document in JSON
// would have: times are numbers and bytes are base64 (Smithy RPC v2 CBOR
// protocol).
func parseCBOR(body []byte) (any, error) {
	document, err := cbor.Decode(body)
	if err != nil {
		return nil, serializationError("The request body is not valid CBOR.")
	}
	return fromCBOR(document), nil
}

// fromCBOR converts a CBOR value to the corresponding JSON value.
func fromCBOR(v cbor.Value) any {
	switch v := v.(type) {
	case cbor.Map:
		out := make(map[string]any, len(v))
		for key, value := range v {
			out[key] = fromCBOR(value)
		}
		return out
	case cbor.List:
		out := make([]any, len(v))
		for i, value := range v {
			out[i] = fromCBOR(value)
		}
		return out
	case cbor.String:
		return string(v)
	case cbor.Bool:
		return bool(v)
	case cbor.Slice:
		return base64.StdEncoding.EncodeToString(v)
	case *cbor.Tag:
		return fromCBOR(v.Value)
	}
	return numberFromCBOR(v)
}

// numberFromCBOR converts a number; anything else becomes nil.
func numberFromCBOR(v cbor.Value) any {
	switch v := v.(type) {
	case cbor.Uint:
		return json.Number(strconv.FormatUint(uint64(v), 10))
	case cbor.NegInt: // holds the magnitude
		return json.Number("-" + strconv.FormatUint(uint64(v), 10))
	case cbor.Float32:
		return json.Number(appendFloat(nil, float64(v), 32))
	case cbor.Float64:
		return json.Number(appendFloat(nil, float64(v), 64))
	}
	return nil
}

// cborValue encodes a Go value as RPC v2 does.
func cborValue(sh *shape, v reflect.Value) cbor.Value {
	switch sh.kind {
	case structure:
		return cborStructure(sh, v)
	case list:
		out := make(cbor.List, v.Len())
		for i := range out {
			out[i] = cborValue(sh.elem, v.Index(i))
		}
		return out
	case mapping:
		out := cbor.Map{}
		for key, value := range v.Seq2() {
			out[key.String()] = cborValue(sh.elem, value)
		}
		return out
	case text:
		return cbor.String(v.String())
	case boolean:
		return cbor.Bool(v.Bool())
	case integer:
		if n := v.Int(); n < 0 {
			return cbor.NegInt(-n)
		}
		return cbor.Uint(v.Int())
	case decimal:
		return cbor.Float64(v.Float())
	case blob:
		return cbor.Slice(v.Bytes())
	case timestamp:
		return &cbor.Tag{ID: cborEpochTag, Value: cbor.Float64(float64(v.Interface().(time.Time).UnixMilli()) / 1000)}
	}
	return &cbor.Nil{}
}

func cborStructure(sh *shape, v reflect.Value) cbor.Map {
	out := cbor.Map{}
	for _, m := range sh.fields {
		field := v.Field(m.index)
		if m.isPresent(field) {
			if m.pointer {
				field = field.Elem()
			}
			out[m.wire.Response] = cborValue(m.shape, field)
		}
	}
	return out
}

// isPresent reports whether a response contains the field. Fields without a value
// are left out; empty lists are not.
func (m member) isPresent(field reflect.Value) bool {
	switch {
	case m.shape.kind == union:
		return false
	case m.pointer, m.shape.kind == list, m.shape.kind == mapping, m.shape.kind == blob:
		return !field.IsNil()
	case m.shape.kind == text:
		return field.Len() > 0
	}
	return true
}
