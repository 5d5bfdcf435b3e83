package http1

import "bytes"

// Field is one line of a head; the value has no white space around it.
type Field struct {
	Name, Value []byte
	Kind        Kind
}

// Kind tells the fields that a proxy looks at from the rest.
type Kind uint8

// The kinds of fields. Those from Connection to Hop concern one connection only
// and are never passed on (RFC 9110, section 7.6.1).
const (
	Plain Kind = iota
	Host
	ContentLength
	Expect
	ForwardedFor
	ForwardedProto
	ForwardedPort
	TraceID
	SetCookie
	Connection
	KeepAlive
	ProxyConnection
	TransferEncoding
	Upgrade
	TE
	NamedByConnection // named by Connection
)

// HopByHop tells that the field ends at this hop.
func (k Kind) HopByHop() bool { return k >= Connection }

var kinds = [...]struct {
	name string
	kind Kind
}{
	{"te", TE},
	{"host", Host},
	{"expect", Expect},
	{"upgrade", Upgrade},
	{"connection", Connection}, {"keep-alive", KeepAlive}, {"set-cookie", SetCookie},
	{"content-length", ContentLength},
	{"x-forwarded-for", ForwardedFor}, {"x-amzn-trace-id", TraceID},
	{"proxy-connection", ProxyConnection},
	{"x-forwarded-port", ForwardedPort},
	{"x-forwarded-proto", ForwardedProto}, {"transfer-encoding", TransferEncoding},
}

// kindsByLen finds the few names of a length.
var kindsByLen = func() (by [18][]int) {
	for i, k := range kinds {
		by[len(k.name)] = append(by[len(k.name)], i)
	}
	return by
}()

func kindOf(name []byte) Kind {
	if len(name) >= len(kindsByLen) {
		return Plain
	}
	for _, i := range kindsByLen[len(name)] {
		if EqualFold(name, kinds[i].name) {
			return kinds[i].kind
		}
	}
	return Plain
}

// EqualFold compares ASCII texts without regard to case.
func EqualFold(a []byte, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i, c := range a {
		if d := b[i]; c != d && lower(c) != lower(d) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c | 0x20
	}
	return c
}

// What a byte may be part of.
const (
	inToken   = 1 << iota // RFC 9110, section 5.6.2
	inValue               // of a field: visible ASCII, space, tab
	inHost                // of an authority
	forbidden             // never allowed in a field
)

var byteSets = func() (t [256]uint8) {
	for c := range 256 {
		b := byte(c)
		alphanumeric := '0' <= b && b <= '9' || 'a' <= lower(b) && lower(b) <= 'z'
		if alphanumeric || bytes.IndexByte([]byte("!#$%&'*+-.^_`|~"), b) >= 0 {
			t[c] |= inToken
		}
		if b == '\t' || 0x20 <= b && b <= 0x7e {
			t[c] |= inValue
		}
		if alphanumeric || bytes.IndexByte([]byte("-._~!$&'()*+,;=:[]%"), b) >= 0 {
			t[c] |= inHost
		}
		if b == 0 || b == '\r' || b == '\n' {
			t[c] |= forbidden
		}
	}
	return t
}()

// allIn tells whether every byte has the property.
func allIn(text []byte, property uint8) bool {
	for _, c := range text {
		if byteSets[c]&property == 0 {
			return false
		}
	}
	return true
}

func noneIn(text []byte, property uint8) bool {
	for _, c := range text {
		if byteSets[c]&property != 0 {
			return false
		}
	}
	return true
}

func trimSpace(text []byte) []byte {
	for len(text) > 0 && (text[0] == ' ' || text[0] == '\t') {
		text = text[1:]
	}
	for len(text) > 0 && (text[len(text)-1] == ' ' || text[len(text)-1] == '\t') {
		text = text[:len(text)-1]
	}
	return text
}

// fieldSummary is what the fields of a message say together.
type fieldSummary struct {
	contentLengths    int   // fields Content-Length
	contentLength     int64 // their value
	chunked           int   // fields Transfer-Encoding that say chunked
	identity          bool  // Transfer-Encoding: identity
	hosts             int
	suspicious        bool // a name that sloppy readers take for a framing field
	nonCompliant      bool // a value with control or non-ASCII characters
	unnamed           bool // a line without a name
	close, keepAlive  bool
	connectionUpgrade bool // named by Connection
	hasUpgrade        bool // a field Upgrade
	namesFields       bool // Connection names other fields
	unknownEncoding   bool // a transfer encoding that is not chunked
}

// cutLine cuts the first line off; the text ends with a whole line.
func cutLine(text []byte) (line, rest []byte, ok bool) {
	i := bytes.IndexByte(text, '\n')
	if i < 1 || text[i-1] != '\r' {
		return nil, nil, false
	}
	return text[:i-1], text[i+1:], true
}

// parse reads lines until the empty one.
func (m *fieldSummary) parse(into []Field, text []byte) ([]Field, error) {
	for {
		line, rest, ok := cutLine(text)
		if !ok {
			return into, errField
		}
		text = rest
		if len(line) == 0 {
			return into, nil
		}
		if len(line) > MaxField {
			return into, errFieldLong
		}
		var f Field
		if f.Name, f.Value, ok = m.splitField(line); !ok {
			return into, errField
		}
		if f.Name == nil {
			continue
		}
		f.Kind = kindOf(f.Name)
		if f.Kind != Plain {
			if err := m.record(&f); err != nil {
				return into, err
			}
		} else if len(f.Name) > 12 && resemblesFramingField(f.Name) {
			m.suspicious = true
		}
		into = append(into, f)
	}
}

// splitField takes a line apart. A line without a name, ": value" or nothing but
// spaces, is no field: name is nil.
func (m *fieldSummary) splitField(line []byte) (name, value []byte, ok bool) {
	colon := bytes.IndexByte(line, ':')
	if colon == 0 || len(trimSpace(line)) == 0 {
		m.unnamed = true
		return nil, nil, noneIn(line, forbidden)
	}
	if colon < 0 || line[0] == ' ' || line[0] == '\t' { // no field at all, or a folded one
		return nil, nil, false
	}
	name, value = line[:colon], trimSpace(line[colon+1:])
	if !allIn(name, inToken) || !noneIn(value, forbidden) {
		return nil, nil, false
	}
	if !allIn(value, inValue) {
		m.nonCompliant = true
	}
	return name, value, true
}

func (m *fieldSummary) record(f *Field) error {
	switch f.Kind {
	case Host:
		m.hosts++
	case ContentLength:
		n, ok := parseNumber(f.Value)
		if !ok {
			return errLength
		}
		if m.contentLengths > 0 && n != m.contentLength {
			return errLengths
		}
		m.contentLengths, m.contentLength = m.contentLengths+1, n
	case TransferEncoding:
		return m.recordEncoding(f.Value)
	case Connection:
		m.recordConnection(f.Value)
	case Upgrade:
		m.hasUpgrade = len(f.Value) > 0
	}
	return nil
}

func (m *fieldSummary) recordEncoding(value []byte) error {
	switch {
	case EqualFold(value, "chunked"):
		if m.chunked++; m.chunked > 1 {
			return errEncodings
		}
	case EqualFold(value, "identity"):
		m.identity = true
	case containsFold(value, "chunked"):
		return errEncoding // "chunked, identity", "xchunked" and the like
	default:
		m.unknownEncoding = true
	}
	return nil
}

// recordConnection reads a list of options (RFC 9110, section 7.6.1).
func (m *fieldSummary) recordConnection(value []byte) {
	for len(value) > 0 {
		var option []byte
		option, value, _ = bytes.Cut(value, []byte(","))
		switch option = trimSpace(option); {
		case EqualFold(option, "close"):
			m.close = true
		case EqualFold(option, "keep-alive"):
			m.keepAlive = true
		case EqualFold(option, "upgrade"):
			m.connectionUpgrade = true
		case len(option) > 0:
			m.namesFields = true
		}
	}
}

// markHopByHop marks the fields that Connection names. Fields that frame or route the
// message are no matter of a connection, whatever it says.
func markHopByHop(fields []Field) {
	for i := range fields {
		if fields[i].Kind != Connection {
			continue
		}
		for list := fields[i].Value; len(list) > 0; {
			var option []byte
			option, list, _ = bytes.Cut(list, []byte(","))
			option = trimSpace(option)
			for j := range fields {
				if fields[j].Kind == Plain && len(option) == len(fields[j].Name) &&
					bytes.EqualFold(option, fields[j].Name) {
					fields[j].Kind = NamedByConnection
				}
			}
		}
	}
}

// resemblesFramingField tells names that become a framing field when underscores,
// punctuation and the like are taken for hyphens or nothing.
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

// containsFold tells whether the word occurs in the text, whatever its case.
func containsFold(text []byte, word string) bool {
	for i := 0; i+len(word) <= len(text); i++ {
		if EqualFold(text[i:i+len(word)], word) {
			return true
		}
	}
	return false
}

// parseNumber reads digits, and nothing but digits (RFC 9110, section 8.6).
func parseNumber(text []byte) (int64, bool) {
	if len(text) == 0 || len(text) > 18 {
		return 0, false
	}
	var n int64
	for _, c := range text {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}
