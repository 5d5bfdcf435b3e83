//go:build linux

// Package http1 parses the heads and the framing of HTTP/1.1 messages strictly and without
// allocating. It classifies messages that two parsers could understand differently as
// Application Load Balancers do, and refuses them where RFC 9112 requires it (Application
// Load Balancer guide, Desync mitigation mode and Access logs: Classification reasons).
//
// All byte slices are parts of the buffer that was parsed and are valid until the buffer is
// reused.
package http1

// Framing is the way in which the body of a message ends (RFC 9112, section 6.3).
type Framing int8

// The ways in which a body ends.
const (
	NoBody     Framing = iota // the message has no body
	Sized                     // after a number of bytes
	Chunked                   // with the last chunk
	UntilClose                // with the connection; responses only
)

// Request is the head of a request. Parse may reuse it.
type Request struct {
	Method []byte
	Minor  int // version HTTP/1.Minor

	Framing        Framing
	KeepAlive      bool // the client may send another request
	ExpectContinue bool // the client waits for 100 Continue
	Upgrade        bool // Connection: upgrade, with a protocol in Upgrade
	Class          Class
	Length         int64 // of a Sized body

	Target []byte // as received
	Path   []byte // of the target, from its first slash; "*" in OPTIONS *; empty: not parsed
	Query  []byte // of the target, after its question mark; nil: none
	Host   []byte // authority with any port; the target's takes precedence over the Host field's
	Fields []Field
	Reason Reason // for Class

	summary fieldSummary
}

// Response is the head of a response. Parse may reuse it.
type Response struct {
	Status       int
	ReasonPhrase []byte // of the status line
	Minor        int    // version HTTP/1.Minor
	Fields       []Field

	Framing   Framing
	Length    int64 // of a Sized body
	KeepAlive bool  // the connection may carry another request

	summary fieldSummary
}

// Value returns the value of the first field with the name, ignoring case, and whether
// there is one.
func (r *Request) Value(name string) ([]byte, bool) { return value(r.Fields, name) }

// Value returns the value of the first field with the name, ignoring case, and whether
// there is one.
func (r *Response) Value(name string) ([]byte, bool) { return value(r.Fields, name) }

func value(fields []Field, name string) ([]byte, bool) {
	for i := range fields {
		if EqualFold(fields[i].Name, name) {
			return fields[i].Value, true
		}
	}
	return nil, false
}
