//go:build linux

package http1

// ParseError is the reason why a message cannot be forwarded in any desync mitigation mode.
type ParseError struct {
	Status int    // of the response to the client
	Reason Reason // as access logs contain it; empty: none
	text   string
}

func (p *ParseError) Error() string { return p.text }

// The errors of messages. Requests with a Reason are of the class Severe.
var (
	errLine            = &ParseError{400, "", "the request line does not have three parts"}
	errMethod          = &ParseError{400, BadMethod, "the method is not a token"}
	errTarget          = &ParseError{400, BadURI, "the target contains a null character or carriage return"}
	errTargetForm      = &ParseError{400, "", "the target is neither a path nor an http URL"}
	errTargetLong      = &ParseError{414, "", "the request line is too long"}
	errVersion         = &ParseError{400, BadVersion, "the version is malformed"}
	errHTTPVersion     = &ParseError{505, "", "the version is not HTTP/1.x"}
	errField           = &ParseError{400, BadHeader, "a header field is malformed"}
	errFieldLong       = &ParseError{400, "", "a header field is too long"}
	errHost            = &ParseError{400, "", "the message does not have exactly one valid Host"}
	errLength          = &ParseError{400, BadContentLength, "Content-Length is not a number"}
	errLengths         = &ParseError{400, MultipleContentLength, "Content-Length has two values"}
	errEncoding        = &ParseError{400, BadTransferEncoding, "Transfer-Encoding is malformed"}
	errEncodings       = &ParseError{400, MultipleTransferEncodingChunked, "Transfer-Encoding is chunked twice"}
	errUnknownEncoding = &ParseError{501, "", "Transfer-Encoding is neither chunked nor identity"}
	errStatusLine      = &ParseError{502, "", "the status line is malformed"}
	errResponseField   = &ParseError{502, "", "a header field of the response is malformed"}
	errFraming         = &ParseError{502, "", "the response's length is ambiguous"}
)
