// Package hostedzone looks names up in the hosted zones of the local cloud's
// Amazon Route 53, as the name servers of the zones would answer.
package hostedzone

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Limits of names in bytes (RFC 1035, section 2.3.4).
const (
	maxName  = 255
	maxLabel = 63
)

// ParseName returns a name as Route 53 keeps it: in lower case, with a dot at the end,
// and with other characters than letters, digits, hyphens, underscores and dots as
// escapes of three octal digits (Amazon Route 53 Developer Guide, "DNS domain name
// format").
func ParseName(text string) (string, error) {
	var b strings.Builder
	label, total := 0, 0
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == '.' {
			if label == 0 {
				return "", errors.New("DomainLabelEmpty (Domain label is empty)")
			}
			b.WriteByte('.')
			label, total = 0, total+1
			continue
		}
		if c == '\\' {
			code, err := strconv.ParseUint(text[min(i+1, len(text)):min(i+4, len(text))], 8, 8)
			if err != nil {
				return "", errors.New("InvalidEscape (Escape codes are three octal digits)")
			}
			c, i = byte(code), i+3
		}
		writeCharacter(&b, c)
		if label++; label > maxLabel {
			return "", errors.New("DomainLabelTooLong (Domain label is too long)")
		}
		total++
	}
	if label > 0 {
		b.WriteByte('.')
		total++
	}
	switch {
	case total == 0:
		return "", errors.New("DomainNameEmpty (Domain name is empty)")
	case total > maxName:
		return "", errors.New("DomainNameTooLong (Domain name is too long)")
	}
	return b.String(), nil
}

func writeCharacter(b *strings.Builder, c byte) {
	switch {
	case 'A' <= c && c <= 'Z':
		b.WriteByte(c + 'a' - 'A')
	case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '_':
		b.WriteByte(c)
	default:
		fmt.Fprintf(b, `\%03o`, c)
	}
}

// wildcard is the first label of a name that stands for all names below another.
const wildcard = `\052.`

// parentOf returns the name without its first label, "" for a top-level domain.
func parentOf(name string) string {
	_, parent, _ := strings.Cut(name, ".")
	return parent
}

// Covers reports whether a name is a zone's own or lies below it. Both are as ParseName
// returns them.
func Covers(zone, name string) bool { return name == zone || strings.HasSuffix(name, "."+zone) }
