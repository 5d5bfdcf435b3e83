//go:build linux

package http1

import "bytes"

// EqualFold reports whether two ASCII texts are equal, ignoring case.
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

// containsFold reports whether the text contains the word, ignoring case.
func containsFold(text []byte, word string) bool {
	for i := 0; i+len(word) <= len(text); i++ {
		if EqualFold(text[i:i+len(word)], word) {
			return true
		}
	}
	return false
}

// Sets of bytes.
const (
	inToken   = 1 << iota // RFC 9110, section 5.6.2
	inValue               // a field's value: visible ASCII, space, tab
	inHost                // an authority
	forbidden             // not allowed in a field
)

// byteSets has the sets that each byte is in.
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

// allIn reports whether all bytes are in the set.
func allIn(text []byte, set uint8) bool {
	for _, c := range text {
		if byteSets[c]&set == 0 {
			return false
		}
	}
	return true
}

// noneIn reports whether no byte is in the set.
func noneIn(text []byte, set uint8) bool {
	for _, c := range text {
		if byteSets[c]&set != 0 {
			return false
		}
	}
	return true
}

// trimSpace trims spaces and tabs.
func trimSpace(text []byte) []byte {
	for len(text) > 0 && (text[0] == ' ' || text[0] == '\t') {
		text = text[1:]
	}
	for len(text) > 0 && (text[len(text)-1] == ' ' || text[len(text)-1] == '\t') {
		text = text[:len(text)-1]
	}
	return text
}

// parseNumber parses a number of up to 18 decimal digits, without a sign (RFC 9110, section
// 8.6).
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
