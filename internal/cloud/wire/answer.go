package wire

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"

	"github.com/aws/smithy-go/encoding/cbor"

	"aloft.dev/aloft/internal/cloud/wire/names"
)

// answer is a response ready to be sent.
type answer struct {
	status      int
	contentType string
	errorType   string // X-Amzn-Errortype of refusals in JSON and CBOR
	queryError  string // X-Amzn-Query-Error, see refuseByName
	body        []byte
}

const (
	xmlType  = "text/xml;charset=UTF-8"
	jsonType = "application/x-amz-json-1.1"
	cborType = "application/cbor"
)

// jsonTypeOf is JSON 1.0 of services that speak it beside others, else JSON 1.1.
func jsonTypeOf(table *names.Table) string {
	if table.Protocol != names.JSON {
		return "application/x-amz-json-1.0"
	}
	return jsonType
}

func (a *answer) send(w http.ResponseWriter, requestID string) {
	header := w.Header()
	header.Set("Content-Type", a.contentType)
	header.Set("Content-Length", strconv.Itoa(len(a.body)))
	header.Set("X-Amzn-Requestid", requestID)
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	if a.errorType != "" {
		header.Set("X-Amzn-Errortype", a.errorType)
	}
	if a.queryError != "" {
		header.Set("X-Amzn-Query-Error", a.queryError)
	}
	if a.contentType == cborType {
		header.Set("Smithy-Protocol", "rpc-v2-cbor")
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // a caller that is gone needs no answer
}

// decode reads the request's parameters into v, a structure.
func (x *exchange) decode(op *operation, v reflect.Value) error {
	if x.dialect == names.JSON || x.dialect == names.CBOR {
		r := jsonReader{}
		if x.dialect == names.CBOR {
			r.parse = parseCBOR
		}
		err := r.read(x.body, op.in, v)
		x.seen, x.unknown = r.seen, r.unknown
		return err
	}
	if x.broken {
		return malformed("The query string contains a syntax error.")
	}
	f, err := newForm(x.values)
	if err != nil {
		return err
	}
	x.seen = slices.Sorted(maps.Keys(f.children))
	r := formReader{protocol: x.dialect}
	err = r.read(f, op.in, v)
	x.unknown = r.unknown
	if err == nil && x.dialect == names.EC2 && len(x.unknown) > 0 {
		return Errorf("UnknownParameter", "The parameter %s is not recognized", x.unknown[0])
	}
	return err
}

// encode writes the answer of a successful operation.
func encode(x *exchange, op *operation, out reflect.Value) *answer {
	switch x.dialect {
	case names.JSON:
		w := &jsonWriter{}
		w.structure(op.out, out)
		return &answer{status: http.StatusOK, contentType: jsonTypeOf(x.table), body: w.Bytes()}
	case names.CBOR:
		return &answer{status: http.StatusOK, contentType: cborType, body: cbor.Encode(cborValue(op.out, out))}
	case names.EC2, names.Query:
	}
	w := &xmlWriter{}
	w.answer(x.table, op.name, x.id, op.out, out)
	return &answer{status: http.StatusOK, contentType: xmlType, body: w.Bytes()}
}

// refuse writes an error in the dialect of the exchange's service, and in that
// of AWS query if the request never told its service.
func refuse(x *exchange, e *Error) *answer {
	a := &answer{status: e.status(), contentType: xmlType}
	switch x.dialect {
	case names.JSON, names.CBOR:
		refuseByName(a, x, e)
		return a
	case names.EC2, names.Query:
	}
	w := &xmlWriter{}
	w.WriteString(xmlHeader)
	if x.dialect == names.EC2 {
		w.WriteString("<Response><Errors><Error>")
		w.element("Code", e.Code)
		w.element("Message", e.Message)
		w.WriteString("</Error></Errors>")
		w.element("RequestID", x.id)
		w.WriteString("</Response>")
	} else {
		w.WriteString("<ErrorResponse")
		if x.table != nil {
			w.WriteString(` xmlns="` + x.table.Namespace + `"`)
		}
		w.WriteString("><Error>")
		w.element("Type", e.fault())
		w.element("Code", e.Code)
		w.element("Message", e.Message)
		w.WriteString("</Error>")
		w.element("RequestId", x.id)
		w.WriteString("</ErrorResponse>")
	}
	a.body = w.Bytes()
	return a
}

// refuseByName writes an error in JSON or CBOR. One of a service that speaks AWS
// query too has its code there in a header (Smithy, AWS Query compatible trait).
func refuseByName(a *answer, x *exchange, e *Error) {
	name := cmp.Or(e.Name, x.table.ErrorName(e.Code))
	a.errorType = name
	if x.table.Protocol == names.Query {
		a.queryError = e.Code + ";" + e.fault()
	}
	if x.dialect == names.CBOR {
		a.contentType = cborType
		a.body = cbor.Encode(cbor.Map{"__type": cbor.String(name), "message": cbor.String(e.Message)})
		return
	}
	a.contentType = jsonTypeOf(x.table)
	body := struct {
		Type    string `json:"__type"`
		Message string `json:"message"`
	}{name, e.Message}
	a.body, _ = json.Marshal(body) // two strings always have a JSON form
}

// fault says whose an error is, in AWS query's words.
func (e *Error) fault() string {
	if e.status() >= http.StatusInternalServerError {
		return "Receiver"
	}
	return "Sender"
}
