//go:build linux

package http1

import "bytes"

// Parse parses a head, which must end with its empty line (HeadLen). The error is a
// *ParseError.
func (r *Request) Parse(head []byte) error {
	*r = Request{Fields: r.Fields[:0]}
	if i := bytes.IndexByte(head, '\n'); i > maxRequestLine {
		return r.fail(errTargetLong)
	}
	line, rest, ok := cutLine(head)
	if !ok {
		return r.fail(errLine)
	}
	if err := r.parseRequestLine(line); err != nil {
		return r.fail(err)
	}
	var err error
	if r.Fields, err = r.summary.parse(r.Fields, rest); err != nil {
		return r.fail(err)
	}
	if r.summary.namesFields {
		markHopByHop(r.Fields)
	}
	if err := r.resolveHost(); err != nil {
		return r.fail(err)
	}
	if err := r.resolveFraming(); err != nil {
		return r.fail(err)
	}
	r.finish()
	return nil
}

// fail classifies the request by an error and returns the error.
func (r *Request) fail(err error) error {
	if p, ok := err.(*ParseError); ok && p.Reason != "" { //nolint:errorlint // never wrapped here
		r.classify(Severe, p.Reason)
	}
	return err
}

// parseRequestLine parses the request line (RFC 9112, section 3).
func (r *Request) parseRequestLine(line []byte) error {
	first, last := bytes.IndexByte(line, ' '), bytes.LastIndexByte(line, ' ')
	if first < 0 || first == last {
		return errLine
	}
	r.Method, r.Target = line[:first], line[first+1:last]
	if len(r.Method) == 0 || !allIn(r.Method, inToken) {
		return errMethod
	}
	if err := r.parseVersion(line[last+1:]); err != nil {
		return err
	}
	for _, c := range r.Target {
		switch {
		case c == 0 || c == '\r':
			return errTarget
		case c == ' ':
			r.classify(Acceptable, SpaceInURI)
		case c < 0x20 || c == 0x7f:
			r.classify(Ambiguous, AmbiguousURI)
		}
	}
	return r.parseTarget()
}

func (r *Request) parseVersion(v []byte) error {
	if string(v) == "HTTP/1.1" {
		r.Minor = 1
		return nil
	}
	if len(v) != len("HTTP/1.1") || string(v[:5]) != "HTTP/" || v[6] != '.' || !digit(v[5]) || !digit(v[7]) {
		return errVersion
	}
	if v[5] != '1' {
		return errHTTPVersion
	}
	if v[7] != '0' { // treat higher minor versions as the highest known one
		r.Minor = 1
		r.classify(Acceptable, NonCompliantVersion)
	}
	return nil
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

var rootPath = []byte("/")

// parseTarget parses the target: a path, a URL in absolute form, or * (RFC 9112, section
// 3.2). CONNECT is not supported.
func (r *Request) parseTarget() error {
	t := r.Target
	switch {
	case string(r.Method) == "CONNECT":
		return errTargetForm
	case len(t) > 0 && t[0] == '/':
	case len(t) > 7 && EqualFold(t[:7], "http://"):
		t = t[7:]
		end := bytes.IndexAny(t, "/?")
		if end < 0 {
			end = len(t)
		}
		r.Host, t = t[:end], t[end:]
		if len(r.Host) == 0 || !allIn(r.Host, inHost) {
			return errHost
		}
	case len(t) == 1 && t[0] == '*' && string(r.Method) == "OPTIONS":
	default:
		return errTargetForm
	}
	r.Path = t
	if i := bytes.IndexByte(t, '?'); i >= 0 {
		r.Path, r.Query = t[:i], t[i+1:]
	}
	if len(r.Path) == 0 { // RFC 9112, section 3.2.1
		r.Path = rootPath
	}
	return nil
}

// resolveHost sets r.Host. HTTP/1.1 requires exactly one valid Host field (RFC 9112, section
// 3.2).
func (r *Request) resolveHost() error {
	switch {
	case r.summary.hosts > 1:
		return errHost
	case r.summary.hosts == 0:
		if r.Minor > 0 {
			return errHost
		}
		return nil
	}
	for i := range r.Fields {
		if r.Fields[i].Kind != Host {
			continue
		}
		host := r.Fields[i].Value
		if len(host) == 0 || !allIn(host, inHost) {
			return errHost
		}
		if r.Host == nil {
			r.Host = host
		}
	}
	return nil
}

// resolveFraming determines where the body ends (RFC 9112, sections 6.1 to 6.3).
func (r *Request) resolveFraming() error {
	m := &r.summary
	encoded := m.chunked > 0 || m.identity
	switch {
	case (m.unknownEncoding || m.identity) && m.chunked > 0: // "chunked, identity" in two fields
		return errEncoding
	case m.unknownEncoding:
		return errUnknownEncoding
	case encoded && r.Minor == 0: // HTTP/1.0 has no Transfer-Encoding
		return errEncoding
	case m.chunked > 0:
		r.Framing = Chunked
	case m.contentLengths > 0 && m.contentLength > 0:
		r.Framing, r.Length = Sized, m.contentLength
	}
	if m.suspicious || m.contentLengths > 0 || encoded {
		r.classifyFraming(encoded)
	}
	return nil
}

// finish sets the fields that depend on the whole head.
func (r *Request) finish() {
	m := &r.summary
	if m.unnamed {
		r.classify(Ambiguous, EmptyHeader)
	}
	if m.nonCompliant {
		r.classify(Acceptable, NonCompliantHeader)
	}
	r.KeepAlive = !m.close && (r.Minor > 0 || m.keepAlive)
	r.Upgrade = m.connectionUpgrade && m.hasUpgrade && r.Minor > 0 && r.Framing == NoBody
	if r.Minor > 0 && r.Framing != NoBody {
		expect, ok := r.Value("expect")
		r.ExpectContinue = ok && EqualFold(expect, "100-continue")
	}
}

// HasContentLength reports whether the request has a Content-Length, which may be 0.
func (r *Request) HasContentLength() bool { return r.summary.contentLengths > 0 }
