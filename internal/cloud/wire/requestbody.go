package wire

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
)

// maxBody is the size limit of a request, in bytes. The largest parameters that
// AWS accepts here are user data of 16 KiB and policies; the rest leaves room for
// long lists of IDs.
const maxBody = 16 << 20

func (x *exchange) readBody(r *http.Request) (err error) {
	x.body, err = io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return fmt.Errorf("read request body: %w", err)
	}
	if len(x.body) > maxBody {
		return requestTooLarge()
	}
	x.rawBody = x.body
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
		Message: "The request is larger than 16 MiB.",
		Status:  http.StatusRequestEntityTooLarge,
	}
}
