package access

import (
	"strings"

	"aloft.dev/aloft/internal/cloud/policydocument"
)

// facts are the values of condition keys.
type facts struct {
	values   map[string][]string // by the key in lower case
	modelled func(key string) bool
}

func newFacts(r Request) facts {
	f := facts{values: make(map[string][]string, len(r.Context)), modelled: r.Modelled}
	for key, values := range r.Context {
		if len(values) > 0 {
			key = strings.ToLower(key)
			f.values[key] = append(f.values[key], values...)
		}
	}
	return f
}

// of returns the values of a key, none if the request does not have it, and whether the
// key is modelled.
func (f facts) of(key string) (values []string, modelled bool) {
	key = strings.ToLower(key)
	values = f.values[key]
	return values, len(values) > 0 || f.modelled == nil || f.modelled(key)
}

// scope is a document's view of the facts. In documents of the first version of the
// policy language, variables are ordinary text (IAM User Guide, "IAM policy elements:
// Variables and tags").
type scope struct {
	facts
	variables bool
}

func (f facts) in(d *policydocument.Document) scope {
	return scope{f, d.Version == policydocument.CurrentVersion}
}

// expand returns the pattern that a text denotes after its variables have been replaced.
// It reports false if a variable has neither one value nor a default. The characters of
// values are never wildcards.
func (s scope) expand(text string) (pattern, bool) {
	if !s.variables {
		return compile(text), true
	}
	var p pattern
	for {
		before, rest, found := strings.Cut(text, "${")
		p = append(p, compile(before)...)
		if !found {
			return p, true
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			return nil, false
		}
		value, ok := s.variable(name)
		if !ok {
			return nil, false
		}
		p = append(p, []rune(value)...)
		text = after
	}
}

// variable returns the value of a variable: "aws:username", "aws:PrincipalTag/team,
// 'none'" with a default, or "*", "?" and "$", which stand for themselves.
func (s scope) variable(name string) (string, bool) {
	switch name {
	case "*", "?", "$":
		return name, true
	}
	key, fallback, hasDefault := strings.Cut(name, ",")
	values, modelled := s.of(strings.TrimSpace(key))
	switch {
	case len(values) == 1:
		return values[0], true
	case len(values) > 1, !hasDefault, !modelled:
		return "", false
	}
	fallback = strings.TrimSpace(fallback)
	if len(fallback) < 2 || fallback[0] != '\'' || fallback[len(fallback)-1] != '\'' {
		return "", false
	}
	return fallback[1 : len(fallback)-1], true
}
