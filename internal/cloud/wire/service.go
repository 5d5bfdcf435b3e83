package wire

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"

	"aloft.dev/aloft/internal/cloud/wire/names"
)

// service is an API that is ready to be called.
type service struct {
	table      *names.Table
	operations map[string]*operation
	unsigned   []string // operations that a GET without a signature may call
	anonymous  []string // operations that any request without a signature may call
	quiet      []string // operations whose success is not logged
	// crossOrigin is that of Service
	crossOrigin func(CrossOrigin) (map[string]string, error)
}

// operation is one method of an API with the shapes of its input and output.
type operation struct {
	name    string
	call    reflect.Value
	in, out *shape
}

var (
	contextType = reflect.TypeFor[context.Context]()
	errorType   = reflect.TypeFor[error]()
)

func newService(s Service) (*service, error) {
	table, err := names.Load(s.Name)
	if err != nil {
		return nil, err
	}
	shapes := newShapes(table)
	out := &service{
		table: table, operations: map[string]*operation{}, unsigned: s.Unsigned, anonymous: s.Anonymous,
		quiet: s.Quiet, crossOrigin: s.CrossOrigin,
	}
	api := reflect.ValueOf(s.API)
	for i := range api.NumMethod() {
		name := api.Type().Method(i).Name
		if !table.HasOperation(name) {
			continue
		}
		op, err := newOperation(shapes, name, api.Method(i))
		if err != nil {
			return nil, fmt.Errorf("operation %s: %w", name, err)
		}
		out.operations[name] = op
	}
	return out, nil
}

func newOperation(shapes *shapes, name string, call reflect.Value) (*operation, error) {
	t := call.Type()
	if t.NumIn() != 2 || t.In(0) != contextType || !isPointerTo(t.In(1), name+"Input") ||
		t.NumOut() != 2 || !isPointerTo(t.Out(0), name+"Output") || t.Out(1) != errorType {
		return nil, fmt.Errorf("method is %s, want func(context.Context, *%[2]sInput) (*%[2]sOutput, error)", t, name)
	}
	in, err := shapes.of(t.In(1).Elem())
	if err != nil {
		return nil, err
	}
	out, err := shapes.of(t.Out(0).Elem())
	if err != nil {
		return nil, err
	}
	return &operation{name: name, call: call, in: in, out: out}, nil
}

func isPointerTo(t reflect.Type, name string) bool {
	return t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Struct && t.Elem().Name() == name
}

// invoke calls the method. in and the result are pointers to structures.
func (o *operation) invoke(ctx context.Context, in reflect.Value) (reflect.Value, error) {
	results := o.call.Call([]reflect.Value{reflect.ValueOf(ctx), in})
	if err, failed := results[1].Interface().(error); failed {
		return reflect.Value{}, err
	}
	if results[0].IsNil() {
		return reflect.Value{}, errors.New("the operation returned neither output nor error")
	}
	return results[0], nil
}

// operation returns the operation with the name, or the error with which AWS
// answers an unknown name in the dialect.
func (s *service) operation(name string, dialect names.Protocol) (*operation, error) {
	if op, ok := s.operations[name]; ok {
		return op, nil
	}
	if s.table.HasOperation(name) {
		return nil, NotImplemented("%s:%s", s.table.Service, name)
	}
	switch {
	case dialect == names.JSON, dialect == names.CBOR:
		return nil, Errorf("UnknownOperationException", "The operation %s is not known to this service.", name)
	case dialect == names.S3:
		return nil, &Error{
			Code:    "MethodNotAllowed",
			Message: "The specified method is not allowed against this resource.",
			Status:  http.StatusMethodNotAllowed,
		}
	case dialect == names.RestXML:
		return nil, &Error{
			Code:    "UnknownOperationException",
			Message: "The service has no operation with this method and path.",
			Status:  http.StatusNotFound,
		}
	case name == "":
		return nil, Errorf("MissingAction", "The request must contain the parameter Action.")
	}
	return nil, Errorf("InvalidAction", "The action %s is not valid for this web service.", name)
}
