package http1

// Class says how far a request keeps to RFC 9112 and how dangerous that is
// (Application Load Balancer guide, Desync mitigation mode: Classifications).
type Class int8

// The classes, from good to bad.
const (
	Compliant Class = iota
	Acceptable
	Ambiguous
	Severe
)

var classNames = [...]string{"Compliant", "Acceptable", "Ambiguous", "Severe"}

// String is the class as access logs write it.
func (c Class) String() string { return classNames[c] }

// Reason is why a request is not compliant, as access logs write it
// (Application Load Balancer guide, Access logs: Classification reasons).
type Reason string

// The reasons.
const (
	AmbiguousURI                       Reason = "AmbiguousUri"
	BadContentLength                   Reason = "BadContentLength"
	BadHeader                          Reason = "BadHeader"
	BadTransferEncoding                Reason = "BadTransferEncoding"
	BadURI                             Reason = "BadUri"
	BadMethod                          Reason = "BadMethod"
	BadVersion                         Reason = "BadVersion"
	BothTeClPresent                    Reason = "BothTeClPresent"
	DuplicateContentLength             Reason = "DuplicateContentLength"
	EmptyHeader                        Reason = "EmptyHeader"
	GetHeadZeroContentLength           Reason = "GetHeadZeroContentLength"
	MultipleContentLength              Reason = "MultipleContentLength"
	MultipleTransferEncodingChunked    Reason = "MultipleTransferEncodingChunked"
	NonCompliantHeader                 Reason = "NonCompliantHeader"
	NonCompliantVersion                Reason = "NonCompliantVersion"
	SpaceInURI                         Reason = "SpaceInUri"
	SuspiciousHeader                   Reason = "SuspiciousHeader"
	SuspiciousTeClPresent              Reason = "SuspiciousTeClPresent"
	UndefinedContentLengthSemantics    Reason = "UndefinedContentLengthSemantics"
	UndefinedTransferEncodingSemantics Reason = "UndefinedTransferEncodingSemantics"
)

// classify keeps the worst class and its first reason.
func (r *Request) classify(c Class, reason Reason) {
	if c > r.Class {
		r.Class, r.Reason = c, reason
	}
}

// ParseError is why a message cannot be passed on, whatever the mode.
type ParseError struct {
	Status int    // what a client is answered
	Reason Reason // as access logs write it; empty: none of theirs
	text   string
}

func (p *ParseError) Error() string { return p.text }

// The problems of messages. Those with a reason are of the class Severe.
var (
	errLine            = &ParseError{400, "", "the request line has not three parts"}
	errMethod          = &ParseError{400, BadMethod, "the method is not a token"}
	errTarget          = &ParseError{400, BadURI, "the target holds a null character or carriage return"}
	errTargetForm      = &ParseError{400, "", "the target is neither a path nor an http URL"}
	errTargetLong      = &ParseError{414, "", "the request line is too long"}
	errVersion         = &ParseError{400, BadVersion, "the version is malformed"}
	errHTTPVersion     = &ParseError{505, "", "the version is not HTTP/1.x"}
	errField           = &ParseError{400, BadHeader, "a header field is malformed"}
	errFieldLong       = &ParseError{400, "", "a header field is too long"}
	errHost            = &ParseError{400, "", "there is not exactly one valid Host"}
	errLength          = &ParseError{400, BadContentLength, "Content-Length is not a number"}
	errLengths         = &ParseError{400, MultipleContentLength, "two values of Content-Length"}
	errEncoding        = &ParseError{400, BadTransferEncoding, "Transfer-Encoding is malformed"}
	errEncodings       = &ParseError{400, MultipleTransferEncodingChunked, "chunked twice in Transfer-Encoding"}
	errUnknownEncoding = &ParseError{501, "", "Transfer-Encoding is neither chunked nor identity"}
	errStatusLine      = &ParseError{502, "", "the status line is malformed"}
	errResponseField   = &ParseError{502, "", "a header field of the answer is malformed"}
	errFraming         = &ParseError{502, "", "the answer's length is ambiguous"}
)
