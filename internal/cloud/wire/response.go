package wire

import (
	"errors"
	"io"
	"maps"
	"net/http"
	"reflect"
	"strconv"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"

	"aloft.dev/aloft/internal/cloud/wire/names"
)

// response is a complete response.
type response struct {
	status      int
	contentType string
	errorType   string      // X-Amzn-Errortype, for errors in JSON and CBOR
	queryError  string      // X-Amzn-Query-Error: see encodeNamedError
	header      http.Header // further headers of REST
	body        []byte
	stream      io.ReadCloser // in place of body, whose type and length header has
}

const (
	xmlType  = "text/xml;charset=UTF-8"
	jsonType = "application/x-amz-json-1.1"
	cborType = "application/cbor"
)

// jsonTypeOf returns the content type of AWS JSON 1.0 for services that speak it
// besides another protocol, and of JSON 1.1 for the others.
func jsonTypeOf(table *names.Table) string {
	if table.Protocol != names.JSON {
		return "application/x-amz-json-1.0"
	}
	return jsonType
}

// responseTimeout is how long a client may take to read a response.
const responseTimeout = 30 * time.Second

func (r *response) send(w http.ResponseWriter, requestID string) {
	header := w.Header()
	maps.Copy(header, r.header)
	if r.contentType != "" {
		header.Set("Content-Type", r.contentType)
		header.Set("Content-Length", strconv.Itoa(len(r.body)))
		header.Set("Cache-Control", "no-store")
	}
	header.Set("X-Amzn-Requestid", requestID)
	header.Set("X-Content-Type-Options", "nosniff")
	if r.errorType != "" {
		header.Set("X-Amzn-Errortype", r.errorType)
	}
	if r.queryError != "" {
		header.Set("X-Amzn-Query-Error", r.queryError)
	}
	if r.contentType == cborType {
		header.Set("Smithy-Protocol", "rpc-v2-cbor")
	}
	// A client that does not read must not hold the response for ever. Not every
	// ResponseWriter has deadlines.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(responseTimeout))
	w.WriteHeader(r.status)
	_, _ = w.Write(r.body) // the client may be gone, which is no error here
	if r.stream != nil {
		sendStream(w, r.stream)
	}
}

// sendStream sends a body piece by piece, each of which the client has responseTimeout to
// read. A response that ends early ends the connection, so that the client notices.
func sendStream(w http.ResponseWriter, stream io.ReadCloser) {
	defer func() { _ = stream.Close() }()
	deadlines, piece := http.NewResponseController(w), make([]byte, 64<<10)
	for {
		n, err := stream.Read(piece)
		_ = deadlines.SetWriteDeadline(time.Now().Add(responseTimeout))
		if _, lost := w.Write(piece[:n]); lost != nil || errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			panic(http.ErrAbortHandler)
		}
	}
}

// encodeResponse encodes the output of a successful operation.
func encodeResponse(x *exchange, op *operation, out reflect.Value) *response {
	switch x.dialect {
	case names.JSON:
		w := &jsonEncoder{}
		w.structure(op.out, out)
		return &response{status: http.StatusOK, contentType: jsonTypeOf(x.table), body: w.Bytes()}
	case names.CBOR:
		return &response{status: http.StatusOK, contentType: cborType, body: cbor.Encode(cborValue(op.out, out))}
	case names.RestXML:
		return encodeRest(x, op, out)
	case names.S3:
		return x.encodeS3(op, out)
	case names.EC2, names.Query:
	}
	w := &xmlEncoder{}
	w.response(x.table, op.name, x.id, op.out, out)
	return &response{status: http.StatusOK, contentType: xmlType, body: w.Bytes()}
}
