// Package http1 reads heads and framing of HTTP/1.1 messages strictly and
// without allocating. What two readers could take for different messages is
// classified as Application Load Balancers classify it, and refused where
// RFC 9112 demands it (Application Load Balancer guide, Desync mitigation mode
// and Access logs: classification reasons).
//
// All texts are slices of the buffer that was read: they are valid until the
// buffer is used again.
package http1

import "bytes"

// Limits of Application Load Balancers in bytes (Application Load Balancer
// guide, Quotas: HTTP headers).
const (
	MaxRequestLine  = 16 << 10
	MaxField        = 16 << 10
	MaxRequestHead  = 64 << 10
	MaxResponseHead = 32 << 10
)

// Framing tells where the body of a message ends (RFC 9112, section 6.3).
type Framing int8

// The ways for a body to end.
const (
	NoBody     Framing = iota // there is no body
	Sized                     // after so many bytes
	Chunked                   // with the last chunk
	UntilClose                // with the connection; responses only
)

// Request is the head of a request. It may be parsed into again and again.
type Request struct {
	Method []byte
	Minor  int // of HTTP/1.x

	Framing        Framing
	KeepAlive      bool  // the client may send another request
	ExpectContinue bool  // the client waits for 100 Continue
	Upgrade        bool  // Connection: upgrade with a protocol in Upgrade
	Class          Class // how far it keeps to the standard
	Length         int64 // of a Sized body

	Target []byte // as it came
	Path   []byte // of the target, from its first slash; "*" in OPTIONS *
	Query  []byte // of the target, after its question mark; nil: it has none
	Host   []byte // authority, with its port if it has one; that of the target goes before the field's
	Fields []Field
	Reason Reason // of the class

	summary fieldSummary
}

// Response is the head of a response. It may be parsed into again and again.
type Response struct {
	Status       int
	ReasonPhrase []byte // the phrase of the status line
	Minor        int    // of HTTP/1.x
	Fields       []Field

	Framing   Framing
	Length    int64 // of a Sized body
	KeepAlive bool  // the connection may take another request

	summary fieldSummary
}

// Value returns the value of the first field of that name, whatever its case,
// and whether there is one.
func (r *Request) Value(name string) ([]byte, bool) { return value(r.Fields, name) }

// Value returns the value of the first field of that name, whatever its case,
// and whether there is one.
func (r *Response) Value(name string) ([]byte, bool) { return value(r.Fields, name) }

func value(fields []Field, name string) ([]byte, bool) {
	for i := range fields {
		if EqualFold(fields[i].Name, name) {
			return fields[i].Value, true
		}
	}
	return nil, false
}

// HeadLen returns the length of the head at the beginning of buf, its empty line
// included, or 0 when it does not end there. The first seen bytes were searched
// before.
func HeadLen(buf []byte, seen int) int {
	from := max(0, seen-3)
	if i := bytes.Index(buf[from:], []byte("\r\n\r\n")); i >= 0 {
		return from + i + 4
	}
	return 0
}

// LeadingBlankLines returns the length of the empty lines before a request, which a client
// may send after a body (RFC 9112, section 2.2).
func LeadingBlankLines(buf []byte) int {
	n := 0
	for len(buf) >= n+2 && buf[n] == '\r' && buf[n+1] == '\n' {
		n += 2
	}
	return n
}

// HasBareLF tells that a head which has not ended never will end well: a line of
// it ends without a carriage return. The first seen bytes were searched before.
func HasBareLF(buf []byte, seen int) bool {
	for from := seen; ; {
		i := bytes.IndexByte(buf[from:], '\n')
		if i < 0 {
			return false
		}
		if from += i; from == 0 || buf[from-1] != '\r' {
			return true
		}
		from++
	}
}
