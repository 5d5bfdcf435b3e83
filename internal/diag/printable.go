package diag

import (
	"strings"
	"unicode"
)

// Printable returns text of a server or another machine as a terminal may show it: without
// escape sequences (ECMA-48, CSI), control characters other than tabs and newlines,
// characters that change the direction of what follows (Unicode Standard Annex 9), and other
// line separators. Bytes that are not UTF-8 become U+FFFD: some terminals take them for
// control characters.
func Printable(text string) string {
	var out strings.Builder
	sequence := false
	for i, r := range text {
		switch {
		case r == '\x1b':
			sequence = true
		case sequence:
			introducer := r == '[' && text[i-1] == '\x1b'
			sequence = introducer || r < '@' || r > '~'
		case r == '\t' || r == '\n' || !changesTerminal(r):
			out.WriteRune(r)
		}
	}
	return out.String()
}

// changesTerminal reports whether a terminal does more than show the character.
func changesTerminal(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp)
}
