//go:build linux

package http1

import "bytes"

// Field is one line of a head. The value has no white space around it.
type Field struct {
	Name, Value []byte
	Kind        Kind
}

// fieldSummary collects what the fields of a message mean for the message as a whole.
type fieldSummary struct {
	contentLengths    int   // Content-Length fields
	contentLength     int64 // their value
	chunked           int   // Transfer-Encoding fields with the value chunked
	identity          bool  // Transfer-Encoding: identity
	hosts             int   // Host fields
	suspicious        bool  // a name that lenient parsers take for a framing field
	nonCompliant      bool  // a value with control or non-ASCII characters
	unnamed           bool  // a line without a name
	close, keepAlive  bool  // options of Connection
	connectionUpgrade bool  // an option of Connection
	hasUpgrade        bool  // an Upgrade field
	namesFields       bool  // Connection lists other fields
	unknownEncoding   bool  // a transfer encoding that is neither chunked nor identity
}

// cutLine returns the first line without its CR LF, and the text after it.
func cutLine(text []byte) (line, rest []byte, ok bool) {
	i := bytes.IndexByte(text, '\n')
	if i < 1 || text[i-1] != '\r' {
		return nil, nil, false
	}
	return text[:i-1], text[i+1:], true
}

// parse appends the fields to into, up to the empty line.
func (s *fieldSummary) parse(into []Field, text []byte) ([]Field, error) {
	for {
		line, rest, ok := cutLine(text)
		if !ok {
			return into, errField
		}
		text = rest
		if len(line) == 0 {
			return into, nil
		}
		if len(line) > maxField {
			return into, errFieldLong
		}
		var f Field
		if f.Name, f.Value, ok = s.splitField(line); !ok {
			return into, errField
		}
		if f.Name == nil {
			continue
		}
		f.Kind = kindOf(f.Name)
		if f.Kind != Plain {
			if err := s.record(&f); err != nil {
				return into, err
			}
		} else if len(f.Name) > 12 && resemblesFramingField(f.Name) {
			s.suspicious = true
		}
		into = append(into, f)
	}
}

// splitField splits a line into a field's name and value. For a line without a name, such
// as ": value" or only spaces, name is nil.
func (s *fieldSummary) splitField(line []byte) (name, value []byte, ok bool) {
	colon := bytes.IndexByte(line, ':')
	if colon == 0 || len(trimSpace(line)) == 0 {
		s.unnamed = true
		return nil, nil, noneIn(line, forbidden)
	}
	if colon < 0 || line[0] == ' ' || line[0] == '\t' { // not a field, or a folded one
		return nil, nil, false
	}
	name, value = line[:colon], trimSpace(line[colon+1:])
	if !allIn(name, inToken) || !noneIn(value, forbidden) {
		return nil, nil, false
	}
	if !allIn(value, inValue) {
		s.nonCompliant = true
	}
	return name, value, true
}

// record adds a field of a kind other than Plain to the summary.
func (s *fieldSummary) record(f *Field) error {
	switch f.Kind {
	case Host:
		s.hosts++
	case ContentLength:
		n, ok := parseNumber(f.Value)
		if !ok {
			return errLength
		}
		if s.contentLengths > 0 && n != s.contentLength {
			return errLengths
		}
		s.contentLengths, s.contentLength = s.contentLengths+1, n
	case TransferEncoding:
		return s.recordEncoding(f.Value)
	case Connection:
		s.recordConnection(f.Value)
	case Upgrade:
		s.hasUpgrade = len(f.Value) > 0
	}
	return nil
}

func (s *fieldSummary) recordEncoding(value []byte) error {
	switch {
	case EqualFold(value, "chunked"):
		if s.chunked++; s.chunked > 1 {
			return errEncodings
		}
	case EqualFold(value, "identity"):
		s.identity = true
	case containsFold(value, "chunked"):
		return errEncoding // "chunked, identity", "xchunked" and the like
	default:
		s.unknownEncoding = true
	}
	return nil
}

// recordConnection adds a list of connection options (RFC 9110, section 7.6.1).
func (s *fieldSummary) recordConnection(value []byte) {
	for len(value) > 0 {
		var option []byte
		option, value, _ = bytes.Cut(value, []byte(","))
		switch option = trimSpace(option); {
		case EqualFold(option, "close"):
			s.close = true
		case EqualFold(option, "keep-alive"):
			s.keepAlive = true
		case EqualFold(option, "upgrade"):
			s.connectionUpgrade = true
		case len(option) > 0:
			s.namesFields = true
		}
	}
}

// resemblesFramingField reports whether the letters of a name spell a framing field: a
// lenient parser may take underscores and punctuation for hyphens, or ignore them.
func resemblesFramingField(name []byte) bool {
	return normalizesTo(name, "transferencoding") || normalizesTo(name, "contentlength")
}

func normalizesTo(name []byte, letters string) bool {
	i := 0
	for _, c := range name {
		c = lower(c)
		if c < 'a' || c > 'z' {
			continue
		}
		if i == len(letters) || c != letters[i] {
			return false
		}
		i++
	}
	return i == len(letters)
}
