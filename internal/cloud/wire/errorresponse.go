package wire

import (
	"cmp"
	"encoding/json"
	"net/http"

	"github.com/aws/smithy-go/encoding/cbor"

	"aloft.dev/aloft/internal/cloud/wire/names"
)

// encodeError encodes an error in the dialect of the exchange's service, or in
// AWS query's if the request did not name its service.
func encodeError(x *exchange, e *Error) *response {
	r := &response{status: e.status(), contentType: xmlType}
	switch x.dialect {
	case names.JSON, names.CBOR:
		encodeNamedError(r, x, e)
		return r
	case names.S3:
		x.encodeS3Error(r, e)
		return r
	case names.EC2, names.Query, names.RestXML:
	}
	w := &xmlEncoder{}
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
	r.body = w.Bytes()
	return r
}

// encodeNamedError encodes an error into r, in JSON or CBOR. If the service also
// speaks AWS query, a header carries the error's code in that protocol (Smithy,
// AWS Query compatible trait).
func encodeNamedError(r *response, x *exchange, e *Error) {
	name := cmp.Or(e.Name, x.table.ErrorName(e.Code))
	r.errorType = name
	if x.table.Protocol == names.Query {
		r.queryError = e.Code + ";" + e.fault()
	}
	if x.dialect == names.CBOR {
		r.contentType = cborType
		r.body = cbor.Encode(cbor.Map{"__type": cbor.String(name), "message": cbor.String(e.Message)})
		return
	}
	r.contentType = jsonTypeOf(x.table)
	// The models of some errors name the message one way, and others the other way. SDKs that go by the models
	// read nothing else.
	body := struct {
		Type    string `json:"__type"`
		Message string `json:"message"`
		Other   string `json:"Message"`
	}{name, e.Message, e.Message}
	r.body, _ = json.Marshal(body) // strings always encode
}

// fault returns who caused the error, in AWS query's words.
func (e *Error) fault() string {
	if e.status() >= http.StatusInternalServerError {
		return "Receiver"
	}
	return "Sender"
}
