package wire

import (
	"bytes"
	"net/http"
	"strconv"

	"aloft.dev/aloft/internal/cloud/wire/names"
)

// Overloaded returns a whole HTTP response to a connection whose requests are not read,
// because too many are open. Clients try again, whatever service they call: by the status.
func Overloaded() []byte {
	x := &exchange{id: newRequestID()}
	r := encodeError(x, tooManyRequests(names.Query))
	head := http.Header{
		"Content-Type":   {r.contentType},
		"Content-Length": {strconv.Itoa(len(r.body))},
		"Connection":     {"close"},
	}
	var out bytes.Buffer
	out.WriteString("HTTP/1.1 503 Service Unavailable\r\n")
	_ = head.Write(&out) // a buffer does not fail
	out.WriteString("\r\n")
	out.Write(r.body)
	return out.Bytes()
}
