//go:build linux

package route

import "strings"

// pattern is a string with wildcards: * matches any number of characters, ? exactly
// one, and a backslash before either makes it literal.
type pattern struct {
	glyphs     []glyph
	ignoreCase bool
}

type glyph struct {
	kind glyphKind
	char byte // of a literal
}

type glyphKind uint8

const (
	literal glyphKind = iota
	anyOne
	anyMany
)

func newPattern(s string, ignoreCase bool) pattern {
	if ignoreCase {
		s = strings.ToLower(s)
	}
	p := pattern{ignoreCase: ignoreCase}
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s) && (s[i+1] == '*' || s[i+1] == '?'):
			i++
			p.glyphs = append(p.glyphs, glyph{literal, s[i]})
		case s[i] == '*':
			p.glyphs = append(p.glyphs, glyph{kind: anyMany})
		case s[i] == '?':
			p.glyphs = append(p.glyphs, glyph{kind: anyOne})
		default:
			p.glyphs = append(p.glyphs, glyph{literal, s[i]})
		}
	}
	return p
}

// match reports whether the pattern matches the whole of s. On a mismatch it
// backtracks to the last * only, so its time is at most len(s) times the pattern's
// length.
func (p *pattern) match(s []byte) bool {
	at, star, retry := 0, -1, 0
	for i := 0; i < len(s); {
		switch {
		case at < len(p.glyphs) && p.glyphs[at].kind == anyMany:
			star, retry = at, i
			at++
		case at < len(p.glyphs) && p.matchOne(at, s[i]):
			at++
			i++
		case star >= 0:
			retry++
			at, i = star+1, retry
		default:
			return false
		}
	}
	for at < len(p.glyphs) && p.glyphs[at].kind == anyMany {
		at++
	}
	return at == len(p.glyphs)
}

func (p *pattern) matchOne(at int, c byte) bool {
	if p.ignoreCase && 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return p.glyphs[at].kind == anyOne || p.glyphs[at].char == c
}
