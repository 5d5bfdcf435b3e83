package http1

// Parse reads the head of an answer to a request with that method; it ends with
// its empty line (End). The error is a *Problem.
func (r *Response) Parse(head []byte, method []byte) error {
	*r = Response{Fields: r.Fields[:0]}
	line, rest, ok := next(head)
	if !ok || !r.line(line) {
		return errStatusLine
	}
	var err error
	if r.Fields, err = r.marks.fields(r.Fields, rest); err != nil || r.marks.empty {
		return errAnswer
	}
	if r.marks.others {
		hops(r.Fields)
	}
	return r.frame(method)
}

// frame finds where the body ends (RFC 9112, section 6.3).
func (r *Response) frame(method []byte) error {
	m := &r.marks
	r.KeepAlive = !m.close && (r.Minor > 0 || m.keep)
	switch {
	case m.unknown, m.lengths > 0 && (m.encodings > 0 || m.identity), m.encodings > 0 && r.Minor == 0:
		return errFraming
	case r.Status < 200, r.Status == 204, r.Status == 304, string(method) == "HEAD":
	case m.encodings > 0:
		r.Framing = Chunked
	case m.lengths == 0:
		r.Framing, r.KeepAlive = Closed, false
	case m.length > 0:
		r.Framing, r.Length = Sized, m.length
	}
	return nil
}

// line reads the status line (RFC 9112, section 4).
func (r *Response) line(line []byte) bool {
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
	if len(phrase) > 0 && phrase[0] != ' ' || r.Status < 100 || !none(phrase, fatal) {
		return false
	}
	r.Line = trim(phrase)
	return true
}

// HasLength tells whether the answer names a length, be it 0 or that of a body
// which does not come.
func (r *Response) HasLength() bool { return r.marks.lengths > 0 }

// DeclaredLength is the length that the answer names (HasLength).
func (r *Response) DeclaredLength() int64 { return r.marks.length }
