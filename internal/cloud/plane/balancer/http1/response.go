//go:build linux

package http1

// Parse parses the head of a response to a request with the method. The head must end with
// its empty line (HeadLen). The error is a *ParseError.
func (r *Response) Parse(head []byte, method []byte) error {
	*r = Response{Fields: r.Fields[:0]}
	line, rest, ok := cutLine(head)
	if !ok || !r.parseStatusLine(line) {
		return errStatusLine
	}
	var err error
	if r.Fields, err = r.summary.parse(r.Fields, rest); err != nil || r.summary.unnamed {
		return errResponseField
	}
	if r.summary.namesFields {
		markHopByHop(r.Fields)
	}
	return r.resolveFraming(method)
}

// resolveFraming determines where the body ends (RFC 9112, section 6.3).
func (r *Response) resolveFraming(method []byte) error {
	m := &r.summary
	r.KeepAlive = !m.close && (r.Minor > 0 || m.keepAlive)
	switch {
	case m.unknownEncoding, m.contentLengths > 0 && (m.chunked > 0 || m.identity), m.chunked > 0 && r.Minor == 0:
		return errFraming
	case r.Status < 200, r.Status == 204, r.Status == 304, string(method) == "HEAD":
	case m.chunked > 0:
		r.Framing = Chunked
	case m.contentLengths == 0:
		r.Framing, r.KeepAlive = UntilClose, false
	case m.contentLength > 0:
		r.Framing, r.Length = Sized, m.contentLength
	}
	return nil
}

// parseStatusLine parses the status line (RFC 9112, section 4).
func (r *Response) parseStatusLine(line []byte) bool {
	if len(line) < len("HTTP/1.1 200") || string(line[:7]) != "HTTP/1." || !digit(line[7]) || line[8] != ' ' {
		return false
	}
	if line[7] != '0' {
		r.Minor = 1
	}
	for _, c := range line[9:12] {
		if !digit(c) {
			return false
		}
		r.Status = r.Status*10 + int(c-'0')
	}
	phrase := line[12:]
	if len(phrase) > 0 && phrase[0] != ' ' || r.Status < 100 || !noneIn(phrase, forbidden) {
		return false
	}
	r.ReasonPhrase = trimSpace(phrase)
	return true
}

// OmitsBody reports whether the fields declare a body that the response does not have,
// because of its status or the request's method.
func (r *Response) OmitsBody() bool {
	return r.Framing == NoBody && (r.summary.chunked > 0 || r.summary.contentLength > 0)
}

// HasContentLength reports whether the response has a Content-Length, which may be 0 or the
// length of a body that is not sent.
func (r *Response) HasContentLength() bool { return r.summary.contentLengths > 0 }

// ContentLength returns the value of Content-Length, if any (HasContentLength).
func (r *Response) ContentLength() int64 { return r.summary.contentLength }
