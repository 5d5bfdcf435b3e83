package http1

import "bytes"

// Parse reads the head, which ends with its empty line (End). The error is a
// *Problem.
func (r *Request) Parse(head []byte) error {
	*r = Request{Fields: r.Fields[:0]}
	if i := bytes.IndexByte(head, '\n'); i > MaxRequestLine {
		return r.fail(errTargetLong)
	}
	line, rest, ok := next(head)
	if !ok {
		return r.fail(errLine)
	}
	if err := r.line(line); err != nil {
		return r.fail(err)
	}
	var err error
	if r.Fields, err = r.marks.fields(r.Fields, rest); err != nil {
		return r.fail(err)
	}
	if r.marks.others {
		hops(r.Fields)
	}
	if err := r.authority(); err != nil {
		return r.fail(err)
	}
	if err := r.frame(); err != nil {
		return r.fail(err)
	}
	r.finish()
	return nil
}

// fail notes the class of a problem.
func (r *Request) fail(err error) error {
	if p, ok := err.(*Problem); ok && p.Reason != "" { //nolint:errorlint // they are never wrapped here
		r.note(Severe, p.Reason)
	}
	return err
}

// line reads the request line (RFC 9112, section 3).
func (r *Request) line(line []byte) error {
	first, last := bytes.IndexByte(line, ' '), bytes.LastIndexByte(line, ' ')
	if first < 0 || first == last {
		return errLine
	}
	r.Method, r.Target = line[:first], line[first+1:last]
	if len(r.Method) == 0 || !all(r.Method, inToken) {
		return errMethod
	}
	if err := r.version(line[last+1:]); err != nil {
		return err
	}
	for _, c := range r.Target {
		switch {
		case c == 0 || c == '\r':
			return errTarget
		case c == ' ':
			r.note(Acceptable, SpaceInURI)
		case c < 0x20 || c == 0x7f:
			r.note(Ambiguous, AmbiguousURI)
		}
	}
	return r.target()
}

func (r *Request) version(v []byte) error {
	if string(v) == "HTTP/1.1" {
		r.Minor = 1
		return nil
	}
	if len(v) != len("HTTP/1.1") || string(v[:5]) != "HTTP/" || v[6] != '.' || !digit(v[5]) || !digit(v[7]) {
		return errVersion
	}
	if v[5] != '1' {
		return errOtherHTTP
	}
	if v[7] != '0' { // higher minor versions are to be read as the highest one knows
		r.Minor = 1
		r.note(Acceptable, NonCompliantVersion)
	}
	return nil
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

// target takes the target apart: a path, or a URL in absolute form, or *
// (RFC 9112, section 3.2). Tunnels with CONNECT do not exist here.
func (r *Request) target() error {
	t := r.Target
	switch {
	case len(t) > 0 && t[0] == '/':
	case len(t) > 7 && EqualFold(t[:7], "http://"):
		t = t[7:]
		end := bytes.IndexAny(t, "/?")
		if end < 0 {
			end = len(t)
		}
		r.Host, t = t[:end], t[end:]
		if len(r.Host) == 0 || !all(r.Host, inHost) {
			return errHost
		}
	case len(t) == 1 && t[0] == '*' && string(r.Method) == "OPTIONS":
	default:
		return errForm
	}
	r.Path = t
	if i := bytes.IndexByte(t, '?'); i >= 0 {
		r.Path, r.Query = t[:i], t[i+1:]
	}
	return nil
}

// authority demands one valid Host of HTTP/1.1 (RFC 9112, section 3.2).
func (r *Request) authority() error {
	switch {
	case r.marks.hosts > 1:
		return errHost
	case r.marks.hosts == 0:
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
		if len(host) == 0 || !all(host, inHost) {
			return errHost
		}
		if r.Host == nil {
			r.Host = host
		}
	}
	return nil
}

// frame finds where the body ends (RFC 9112, sections 6.1 to 6.3).
func (r *Request) frame() error {
	m := &r.marks
	encoded := m.encodings > 0 || m.identity
	switch {
	case m.unknown && m.encodings > 0:
		return errEncoding
	case m.unknown:
		return errUnknownCode
	case encoded && r.Minor == 0: // its sender does not know what it says
		return errEncoding
	case m.encodings > 0:
		r.Framing = Chunked
	case m.lengths > 0 && m.length > 0:
		r.Framing, r.Length = Sized, m.length
	}
	if m.suspicious || m.lengths > 0 || encoded {
		r.judge(encoded)
	}
	return nil
}

// judge classifies what frames the body.
func (r *Request) judge(encoded bool) {
	m := &r.marks
	switch {
	case m.suspicious && (encoded || m.lengths > 0):
		r.note(Severe, SuspiciousTeClPresent)
	case m.suspicious:
		r.note(Ambiguous, SuspiciousHeader)
	}
	if encoded && m.lengths > 0 {
		r.note(Ambiguous, BothTeClPresent)
	}
	if m.lengths > 1 {
		r.note(Ambiguous, DuplicateContentLength)
	}
	if string(r.Method) != "GET" && string(r.Method) != "HEAD" {
		return
	}
	switch {
	case encoded:
		r.note(Ambiguous, UndefinedTransferEncodingSemantics)
	case r.Framing == Sized:
		r.note(Ambiguous, UndefinedContentLengthSemantics)
	case m.lengths > 0:
		r.note(Acceptable, GetHeadZeroContentLength)
	}
}

func (r *Request) finish() {
	m := &r.marks
	if m.empty {
		r.note(Ambiguous, EmptyHeader)
	}
	if m.imperfect {
		r.note(Acceptable, NonCompliantHeader)
	}
	r.KeepAlive = !m.close && (r.Minor > 0 || m.keep)
	r.Upgrade = m.upgrade && m.upgradeTo && r.Minor > 0 && r.Framing == None
	if r.Minor > 0 && r.Framing != None {
		expect, ok := r.Value("expect")
		r.Continue = ok && EqualFold(expect, "100-continue")
	}
}

// HasLength tells whether the request names a length, be it 0.
func (r *Request) HasLength() bool { return r.marks.lengths > 0 }
