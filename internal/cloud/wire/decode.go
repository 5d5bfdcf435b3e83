package wire

import (
	"maps"
	"reflect"
	"slices"

	"aloft.dev/aloft/internal/cloud/wire/names"
)

// decode decodes the request's parameters into v, a structure.
func (x *exchange) decode(op *operation, v reflect.Value) error {
	if x.dialect == names.JSON || x.dialect == names.CBOR {
		r := jsonDecoder{}
		if x.dialect == names.CBOR {
			r.parse = parseCBOR
		}
		err := r.read(x.body, op.in, v)
		x.parameters, x.unknown = r.seen, r.unknown
		return err
	}
	switch x.dialect {
	case names.RestXML:
		return x.decodeRest(op, v)
	case names.S3:
		return x.decodeS3(op, v)
	case names.EC2, names.Query, names.JSON, names.CBOR:
	}
	if x.malformed {
		return malformedQuery("The query string contains a syntax error.")
	}
	f, err := newForm(x.values)
	if err != nil {
		return err
	}
	x.parameters = slices.Sorted(maps.Keys(f.children))
	r := formDecoder{protocol: x.dialect, service: x.table.Service}
	err = r.read(f, op.in, v)
	x.unknown = r.unknown
	if err == nil && x.dialect == names.EC2 && len(x.unknown) > 0 {
		return Errorf("UnknownParameter", "The parameter %s is not recognized", x.unknown[0])
	}
	return err
}
