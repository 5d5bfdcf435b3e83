//go:build linux

package http1

// Class is how well a request complies with RFC 9112 and how dangerous it is (Application
// Load Balancer guide, Desync mitigation mode: Classifications).
type Class int8

// The classes, from the best to the worst.
const (
	Compliant Class = iota
	Acceptable
	Ambiguous
	Severe
)

var classNames = [...]string{"Compliant", "Acceptable", "Ambiguous", "Severe"}

// String returns the class as access logs contain it.
func (c Class) String() string { return classNames[c] }

// Reason is the reason why a request is not Compliant, as access logs contain it
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

// classify lowers the request's class, and keeps the first reason for the worst class.
func (r *Request) classify(c Class, reason Reason) {
	if c > r.Class {
		r.Class, r.Reason = c, reason
	}
}

// classifyFraming classifies the fields that frame the body.
func (r *Request) classifyFraming(encoded bool) {
	m := &r.summary
	switch {
	case m.suspicious && (encoded || m.contentLengths > 0):
		r.classify(Severe, SuspiciousTeClPresent)
	case m.suspicious:
		r.classify(Ambiguous, SuspiciousHeader)
	}
	if encoded && m.contentLengths > 0 {
		r.classify(Ambiguous, BothTeClPresent)
	}
	if m.contentLengths > 1 {
		r.classify(Ambiguous, DuplicateContentLength)
	}
	if string(r.Method) != "GET" && string(r.Method) != "HEAD" {
		return
	}
	switch {
	case encoded:
		r.classify(Ambiguous, UndefinedTransferEncodingSemantics)
	case r.Framing == Sized:
		r.classify(Ambiguous, UndefinedContentLengthSemantics)
	case m.contentLengths > 0:
		r.classify(Acceptable, GetHeadZeroContentLength)
	}
}
