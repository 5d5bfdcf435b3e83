package hostedzone

import (
	"errors"
	"strconv"
	"strings"
)

// maxString is the most bytes of a string (RFC 1035, section 3.3).
const maxString = 255

var (
	errQuotes = errors.New("InvalidCharacterString (Value should be enclosed in quotation marks)")
	errEscape = errors.New("InvalidCharacterString (Invalid escape code)")
	errLong   = errors.New("CharacterStringTooLong (Value is too long)")
)

// parseStrings returns the strings of a TXT record's value, which are in quotation marks
// and separated by spaces. A backslash escapes a character or begins an octal code.
func parseStrings(value string) ([]string, error) {
	var out []string
	rest := strings.TrimSpace(value)
	if rest == "" {
		return nil, errQuotes
	}
	for rest != "" {
		text, after, err := parseString(rest)
		if err != nil {
			return nil, err
		}
		out, rest = append(out, text), strings.TrimSpace(after)
	}
	return out, nil
}

func parseString(in string) (text, rest string, err error) {
	if in[0] != '"' {
		return "", "", errQuotes
	}
	var b strings.Builder
	for i := 1; i < len(in); i++ {
		switch c := in[i]; {
		case c == '"' && b.Len() > maxString:
			return "", "", errLong
		case c == '"':
			return b.String(), in[i+1:], nil
		case c != '\\':
			b.WriteByte(c)
		case i+3 < len(in) && in[i+1] >= '0' && in[i+1] <= '9':
			code, err := strconv.ParseUint(in[i+1:i+4], 8, 8)
			if err != nil {
				return "", "", errEscape
			}
			b.WriteByte(byte(code))
			i += 3
		case i+1 < len(in):
			i++
			b.WriteByte(in[i])
		}
	}
	return "", "", errQuotes
}
