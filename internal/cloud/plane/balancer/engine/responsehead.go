//go:build linux

package engine

import (
	"net/http"
	"strconv"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/http1"
)

// appendResponse appends the head that the client gets: the target's, framed for the
// client's connection, with the lines in more. l is nil for interim responses.
func appendResponse(
	b []byte, r *http1.Response, framing http1.Framing, keep bool, more []byte, l *balancer.Listener,
) []byte {
	b = append(b, "HTTP/1.1 "...)
	b = strconv.AppendInt(b, int64(r.Status), 10)
	b = append(append(append(b, ' '), r.ReasonPhrase...), "\r\n"...)
	dated := false
	for i := range r.Fields {
		f := &r.Fields[i]
		if f.Kind.HopByHop() || f.Kind == http1.ContentLength || l != nil && replacesHeader(l, f.Name) {
			continue
		}
		dated = dated || len(f.Name) == 4 && http1.EqualFold(f.Name, "date")
		b = appendField(b, f)
	}
	if r.Status < 200 {
		return append(b, "\r\n"...)
	}
	if !dated { // RFC 9110, section 6.6.1
		b = appendDate(b)
	}
	b = append(b, more...)
	if l != nil {
		b = appendHeaders(b, l)
	}
	switch {
	case framing == http1.Chunked:
		b = append(b, "Transfer-Encoding: chunked\r\n"...)
	case r.Status != http.StatusNoContent && r.HasContentLength() && framing != http1.UntilClose:
		b = appendNumber(b, "Content-Length: ", r.ContentLength())
	}
	return append(appendConnection(b, keep), "\r\n"...)
}

// replacesHeader reports whether the listener removes or replaces a target's field.
func replacesHeader(l *balancer.Listener, name []byte) bool {
	if l.NoServer && http1.EqualFold(name, "server") {
		return true
	}
	for own := range l.Headers {
		if http1.EqualFold(name, own) {
			return true
		}
	}
	return false
}

// appendHeaders appends the fields that the listener sets.
func appendHeaders(b []byte, l *balancer.Listener) []byte {
	for name, value := range l.Headers {
		b = append(append(append(append(b, name...), ": "...), value...), "\r\n"...)
	}
	return b
}

// appendSwitchingProtocols appends the head of a 101 response.
func appendSwitchingProtocols(b []byte, r *http1.Response) []byte {
	b = append(b, "HTTP/1.1 101 Switching Protocols\r\n"...)
	for i := range r.Fields {
		if f := &r.Fields[i]; !f.Kind.HopByHop() || f.Kind == http1.Upgrade {
			b = appendField(b, f)
		}
	}
	return append(b, "Connection: Upgrade\r\n\r\n"...)
}

func appendConnection(b []byte, keep bool) []byte {
	if keep {
		return append(b, "Connection: keep-alive\r\n"...)
	}
	return append(b, "Connection: close\r\n"...)
}

func appendDate(b []byte) []byte {
	b = time.Now().UTC().AppendFormat(append(b, "Date: "...), http.TimeFormat)
	return append(b, "\r\n"...)
}
