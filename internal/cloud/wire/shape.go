package wire

import (
	"fmt"
	"go/token"
	"io"
	"reflect"
	"slices"
	"strings"
	"time"

	"aloft.dev/aloft/internal/cloud/wire/names"
)

// kind is how a Go type is encoded.
type kind uint8

const (
	structure kind = iota
	list
	mapping
	text      // string and the SDK's enumerations
	boolean   // true, false
	integer   // any width
	decimal   // float32, float64
	blob      // []byte, base64
	timestamp // time.Time
	union     // one of several types; never decoded or encoded
	stream    // io.Reader or io.ReadCloser: a body of S3
)

// shape is the plan for decoding and encoding values of one Go type. It is built
// when a handler is created and only read afterwards.
type shape struct {
	kind    kind
	typ     reflect.Type
	elem    *shape          // element type of a list or mapping
	fields  []member        // of a structure, in the Go type's order
	byName  map[string]int  // of a structure: request name → index in fields
	ignored map[string]bool // request names that AWS defines and the Go type does not export
}

// member is one field of a structure.
type member struct {
	name    string // Go name
	index   int
	wire    names.Field
	at      names.Binding // where it is in REST
	pointer bool
	shape   *shape
}

// shapes builds and caches the shapes of one service's types.
type shapes struct {
	table *names.Table
	known map[reflect.Type]*shape
}

func newShapes(table *names.Table) *shapes {
	return &shapes{table: table, known: map[reflect.Type]*shape{}}
}

var (
	timeType  = reflect.TypeFor[time.Time]()
	bytesType = reflect.TypeFor[[]byte]()

	readerType     = reflect.TypeFor[io.Reader]()
	readCloserType = reflect.TypeFor[io.ReadCloser]()
)

// of returns the shape of a type. It fails for types that no encoding here can
// carry: documents, and streams unless the service is S3. Unions are never carried either, but do not make
// the types that contain them fail. Instead, a request that sets one is refused
// by name.
func (s *shapes) of(t reflect.Type) (*shape, error) {
	if known, ok := s.known[t]; ok {
		return known, nil
	}
	sh := &shape{typ: t}
	s.known[t] = sh // before its fields, since types may refer to themselves
	err := s.describe(sh)
	if err != nil {
		delete(s.known, t)
		return nil, err
	}
	return sh, nil
}

func (s *shapes) describe(sh *shape) (err error) {
	switch t := sh.typ; {
	case t == timeType:
		sh.kind = timestamp
	case t == bytesType:
		sh.kind = blob
	case t.Kind() == reflect.Slice:
		sh.kind = list
		sh.elem, err = s.of(t.Elem())
	case t.Kind() == reflect.Map && t.Key().Kind() == reflect.String:
		sh.kind = mapping
		sh.elem, err = s.of(t.Elem())
	case t.Kind() == reflect.Struct:
		sh.kind = structure
		err = s.members(sh)
	case t.Kind() == reflect.String:
		sh.kind = text
	case t.Kind() == reflect.Bool:
		sh.kind = boolean
	case t.Kind() == reflect.Int32, t.Kind() == reflect.Int64:
		sh.kind = integer
	case t.Kind() == reflect.Float32, t.Kind() == reflect.Float64:
		sh.kind = decimal
	case s.isStream(t):
		sh.kind = stream
	case t.Kind() == reflect.Interface && t.NumMethod() > 0:
		sh.kind = union
	default:
		return fmt.Errorf("type %s has no form on the wire", t)
	}
	return err
}

// isStream reports whether a type is that of a body of S3.
func (s *shapes) isStream(t reflect.Type) bool {
	return s.table.Protocol == names.S3 && (t == readerType || t == readCloserType)
}

func (s *shapes) members(sh *shape) error {
	exceptions, bindings := s.table.Exceptions(sh.typ.Name()), s.table.Bindings(sh.typ.Name())
	sh.byName = map[string]int{}
	for f := range fields(sh.typ) {
		m := member{name: f.Name, index: f.Index[0], at: bindings[f.Name]}
		t := f.Type
		if t.Kind() == reflect.Pointer {
			m.pointer, t = true, t.Elem()
		}
		var err error
		if m.shape, err = s.of(t); err != nil {
			return fmt.Errorf("field %s of %s: %w", f.Name, sh.typ, err)
		}
		var exceptional bool
		if m.wire, exceptional = exceptions[f.Name]; !exceptional {
			m.wire = s.table.DefaultField(f.Name)
		}
		sh.byName[m.wire.Request] = len(sh.fields)
		sh.fields = append(sh.fields, m)
	}
	sh.fields = slices.Clip(sh.fields)
	for name, wire := range exceptions {
		if !token.IsExported(name) {
			if sh.ignored == nil {
				sh.ignored = map[string]bool{}
			}
			sh.ignored[wire.Request] = true
		}
	}
	return nil
}

// fields iterates over the fields of a type that are encoded: the exported ones
// except the SDK's ResultMetadata, which describes the call and not the response.
func fields(t reflect.Type) func(func(reflect.StructField) bool) {
	return func(yield func(reflect.StructField) bool) {
		for i := range t.NumField() {
			f := t.Field(i)
			if !f.IsExported() ||
				f.Name == "ResultMetadata" && strings.HasSuffix(f.Type.PkgPath(), "smithy-go/middleware") {
				continue
			}
			if !yield(f) {
				return
			}
		}
	}
}
