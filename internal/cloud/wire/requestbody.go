package wire

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"os"
	"time"
)

// maxBody is the size limit of a request, in bytes, also after decompression. The largest
// that AWS accepts here is PutMetricData's, of 1 MB (CloudWatch User Guide, "CloudWatch service
// quotas"). A decoded document needs some twenty times as much memory.
const maxBody = 2 << 20

// bodyTimeout is how long a client may take to send a body.
const bodyTimeout = 30 * time.Second

// readBody reads the body as it was signed. What it holds counts as held.
func (x *exchange) readBody(r *http.Request, held *heldBody) (err error) {
	if r.ContentLength > maxBody {
		return requestTooLarge()
	}
	x.rawBody, err = io.ReadAll(io.LimitReader(held, maxBody+1))
	switch {
	case errors.Is(err, errTooManyBodies):
		return tooManyRequests(x.dialect)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return bodyTimedOut()
	case err != nil:
		return Errorf("IncompleteBody", "The request ended before its body did, or the body is malformed.")
	case len(x.rawBody) > maxBody:
		return requestTooLarge()
	}
	x.read = true
	return nil
}

// decompress sets the body without its compression. It is called once the signature is
// verified.
func (x *exchange) decompress(r *http.Request) (err error) {
	x.body = x.rawBody
	if r.Header.Get("Content-Encoding") == "gzip" {
		x.body, err = inflate(x.rawBody)
	}
	return err
}

// inflate decompresses a body. SDKs compress large requests.
func inflate(body []byte) ([]byte, error) {
	zip, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, serializationError("The request body is not gzip.")
	}
	out, err := io.ReadAll(io.LimitReader(zip, maxBody+1))
	switch {
	case err != nil:
		return nil, serializationError("The request body is not gzip.")
	case len(out) > maxBody:
		return nil, requestTooLarge()
	}
	return out, nil
}

func requestTooLarge() *Error {
	return &Error{
		Code:    "RequestEntityTooLarge",
		Message: "The request is larger than 2 MiB.",
		Status:  http.StatusRequestEntityTooLarge,
	}
}

func bodyTimedOut() *Error {
	return &Error{
		Code:    "RequestTimeout",
		Message: "The request's body did not arrive in time.",
		Status:  http.StatusRequestTimeout,
	}
}
