package balancer

import (
	"bytes"
	"net/netip"
	"regexp"
	"strings"

	"aloft.dev/aloft/internal/cloud/plane/balancer/http1"
)

// condition is one of a rule's. Asking it allocates nothing.
type condition interface {
	met(r *http1.Request, from netip.Addr) bool
}

// compileConditions makes conditions ready to be asked (Application Load
// Balancer guide, Condition types for listener rules). One that cannot be
// understood is never met, so that its rule takes no request by mistake.
func compileConditions(given []Condition) []condition {
	out := make([]condition, 0, len(given))
	for _, c := range given {
		out = append(out, compileCondition(c))
	}
	return out
}

func compileCondition(c Condition) condition {
	switch c.Field {
	case "host-header":
		return hostIs{textOf(c, true)}
	case "path-pattern":
		return pathIs{textOf(c, false)}
	case "http-header":
		return headerIs{name: c.Header, text: textOf(c, true)}
	case "http-request-method":
		return methodIs(c.Values)
	case "query-string":
		return queryOf(c.Pairs)
	case "source-ip":
		return sourceOf(c.Values)
	}
	return never{}
}

type never struct{}

func (never) met(*http1.Request, netip.Addr) bool { return false }

// text is what a text may be like.
type text struct {
	patterns []pattern
	regexes  []*regexp.Regexp
}

func textOf(c Condition, fold bool) text {
	var t text
	for _, v := range c.Values {
		t.patterns = append(t.patterns, newPattern(v, fold))
	}
	for _, v := range c.Regexes {
		if re, err := regexp.Compile(v); err == nil { // the API has let no other through
			t.regexes = append(t.regexes, re)
		}
	}
	return t
}

func (t *text) like(s []byte) bool {
	for i := range t.patterns {
		if t.patterns[i].like(s) {
			return true
		}
	}
	for _, re := range t.regexes {
		if re.Match(s) {
			return true
		}
	}
	return false
}

// hostIs compares the host without its port, for values cannot hold a colon. A
// regular expression may name the port too: it is tried on both. Neither is in
// AWS's documents.
type hostIs struct{ text text }

func (c hostIs) met(r *http1.Request, _ netip.Addr) bool {
	host := withoutPort(r.Host)
	if c.text.like(host) {
		return true
	}
	if len(host) == len(r.Host) {
		return false
	}
	for _, re := range c.text.regexes {
		if re.Match(r.Host) {
			return true
		}
	}
	return false
}

func withoutPort(authority []byte) []byte {
	if i := bytes.LastIndexByte(authority, ':'); i >= 0 && bytes.IndexByte(authority[i:], ']') < 0 {
		return authority[:i]
	}
	return authority
}

type pathIs struct{ text text }

func (c pathIs) met(r *http1.Request, _ netip.Addr) bool { return c.text.like(r.Path) }

// headerIs is met when one of the fields of that name matches.
type headerIs struct {
	name string
	text text
}

func (c headerIs) met(r *http1.Request, _ netip.Addr) bool {
	for i := range r.Fields {
		if http1.EqualFold(r.Fields[i].Name, c.name) && c.text.like(r.Fields[i].Value) {
			return true
		}
	}
	return false
}

type methodIs []string

func (c methodIs) met(r *http1.Request, _ netip.Addr) bool {
	for _, method := range c {
		if string(r.Method) == method {
			return true
		}
	}
	return false
}

type sourceIs []netip.Prefix

func sourceOf(values []string) sourceIs {
	var out sourceIs
	for _, v := range values {
		if p, err := netip.ParsePrefix(v); err == nil {
			out = append(out, p)
		}
	}
	return out
}

func (c sourceIs) met(_ *http1.Request, from netip.Addr) bool {
	from = from.Unmap()
	for _, p := range c {
		if p.Contains(from) {
			return true
		}
	}
	return false
}

// queryIs compares parameters as they are written: AWS does not say that it
// decodes them.
type queryIs []queryPair

type queryPair struct {
	keyed      bool
	key, value pattern
}

func queryOf(pairs []Pair) queryIs {
	var out queryIs
	for _, p := range pairs {
		out = append(out, queryPair{keyed: p.Key != "", key: newPattern(p.Key, true), value: newPattern(p.Value, true)})
	}
	return out
}

func (c queryIs) met(r *http1.Request, _ netip.Addr) bool {
	for rest := r.Query; len(rest) > 0; {
		var parameter []byte
		parameter, rest, _ = bytes.Cut(rest, []byte{'&'})
		key, value, assigned := bytes.Cut(parameter, []byte{'='})
		for i := range c {
			if c[i].like(key, value, assigned) {
				return true
			}
		}
	}
	return false
}

// like compares one parameter. Without a key in the condition, a parameter that
// is not assigned counts as a value.
func (p *queryPair) like(key, value []byte, assigned bool) bool {
	switch {
	case p.keyed:
		return p.key.like(key) && p.value.like(value)
	case assigned:
		return p.value.like(value)
	}
	return p.value.like(key)
}

// pattern is a text with wildcards: * stands for any number of characters, ? for
// exactly one, and a backslash before them takes their meaning.
type pattern struct {
	glyphs []glyph
	fold   bool // case does not matter
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

func newPattern(s string, fold bool) pattern {
	if fold {
		s = strings.ToLower(s)
	}
	p := pattern{fold: fold}
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

// like tells whether the whole of s matches. It goes back to the last * only.
func (p *pattern) like(s []byte) bool {
	at, star, retry := 0, -1, 0
	for i := 0; i < len(s); {
		switch {
		case at < len(p.glyphs) && p.glyphs[at].kind == anyMany:
			star, retry = at, i
			at++
		case at < len(p.glyphs) && p.one(at, s[i]):
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

func (p *pattern) one(at int, c byte) bool {
	if p.fold && 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return p.glyphs[at].kind == anyOne || p.glyphs[at].char == c
}
