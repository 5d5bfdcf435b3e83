//go:build linux

package route

import (
	"bytes"
	"net/netip"
	"regexp"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/http1"
)

// condition is a condition of a rule. Evaluating it does not allocate.
type condition interface {
	met(r *http1.Request, from netip.Addr) bool
}

func compileConditions(given []balancer.Condition) []condition {
	out := make([]condition, 0, len(given))
	for _, c := range given {
		out = append(out, compileCondition(c))
	}
	return out
}

// compileCondition compiles a condition (Application Load Balancer guide, Condition
// types for listener rules). One of an unknown type is never met, so that its rule
// does not match requests by mistake.
func compileCondition(c balancer.Condition) condition {
	switch c.Field {
	case "host-header":
		return hostHeader{newMatcher(c, true)}
	case "path-pattern":
		return pathPattern{newMatcher(c, false)}
	case "http-header":
		return httpHeader{name: c.Header, value: newMatcher(c, true)}
	case "http-request-method":
		return requestMethod(c.Values)
	case "query-string":
		return newQueryString(c.Pairs)
	case "source-ip":
		return newSourceIP(c.Values)
	}
	return never{}
}

type never struct{}

func (never) met(*http1.Request, netip.Addr) bool { return false }

// matcher matches a string against a condition's wildcard patterns and regular
// expressions.
type matcher struct {
	patterns []pattern
	regexes  []*regexp.Regexp
}

func newMatcher(c balancer.Condition, ignoreCase bool) matcher {
	var m matcher
	for _, v := range c.Values {
		m.patterns = append(m.patterns, newPattern(v, ignoreCase))
	}
	for _, v := range c.Regexes {
		if re, err := regexp.Compile(v); err == nil { // the API rejects invalid ones
			m.regexes = append(m.regexes, re)
		}
	}
	return m
}

func (m *matcher) match(s []byte) bool {
	for i := range m.patterns {
		if m.patterns[i].match(s) {
			return true
		}
	}
	return m.matchRegex(s)
}

func (m *matcher) matchRegex(s []byte) bool {
	for _, re := range m.regexes {
		if re.Match(s) {
			return true
		}
	}
	return false
}

// hostHeader matches the host without its port, because values cannot contain a
// colon. A regular expression may include the port, so it is also tried on the whole
// header. AWS documents neither.
type hostHeader struct{ host matcher }

func (c hostHeader) met(r *http1.Request, _ netip.Addr) bool {
	host := withoutPort(r.Host)
	if c.host.match(host) {
		return true
	}
	return len(host) != len(r.Host) && c.host.matchRegex(r.Host)
}

func withoutPort(authority []byte) []byte {
	if i := bytes.LastIndexByte(authority, ':'); i >= 0 && bytes.IndexByte(authority[i:], ']') < 0 {
		return authority[:i]
	}
	return authority
}

type pathPattern struct{ path matcher }

func (c pathPattern) met(r *http1.Request, _ netip.Addr) bool { return c.path.match(r.Path) }

// httpHeader is met when one of the fields of that name matches.
type httpHeader struct {
	name  string
	value matcher
}

func (c httpHeader) met(r *http1.Request, _ netip.Addr) bool {
	for i := range r.Fields {
		if http1.EqualFold(r.Fields[i].Name, c.name) && c.value.match(r.Fields[i].Value) {
			return true
		}
	}
	return false
}

type requestMethod []string

func (c requestMethod) met(r *http1.Request, _ netip.Addr) bool {
	for _, method := range c {
		if string(r.Method) == method {
			return true
		}
	}
	return false
}

type sourceIP []netip.Prefix

func newSourceIP(values []string) sourceIP {
	var out sourceIP
	for _, v := range values {
		if p, err := netip.ParsePrefix(v); err == nil {
			out = append(out, p)
		}
	}
	return out
}

func (c sourceIP) met(_ *http1.Request, from netip.Addr) bool {
	from = from.Unmap()
	for _, p := range c {
		if p.Contains(from) {
			return true
		}
	}
	return false
}

// queryString matches parameters as they are written: AWS does not say that it
// decodes them.
type queryString []queryPair

type queryPair struct {
	keyed      bool
	key, value pattern
}

func newQueryString(pairs []balancer.Pair) queryString {
	var out queryString
	for _, p := range pairs {
		out = append(out, queryPair{keyed: p.Key != "", key: newPattern(p.Key, true), value: newPattern(p.Value, true)})
	}
	return out
}

func (c queryString) met(r *http1.Request, _ netip.Addr) bool {
	for rest := r.Query; len(rest) > 0; {
		var parameter []byte
		parameter, rest, _ = bytes.Cut(rest, []byte{'&'})
		key, value, assigned := bytes.Cut(parameter, []byte{'='})
		for i := range c {
			if c[i].match(key, value, assigned) {
				return true
			}
		}
	}
	return false
}

// match matches one parameter. For a condition without a key, a parameter without
// "=" counts as a value.
func (p *queryPair) match(key, value []byte, assigned bool) bool {
	switch {
	case p.keyed:
		return p.key.match(key) && p.value.match(value)
	case assigned:
		return p.value.match(value)
	}
	return p.value.match(key)
}
