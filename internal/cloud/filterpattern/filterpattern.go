// Package filterpattern matches the messages of log events with the filter patterns of
// CloudWatch Logs (Amazon CloudWatch Logs User Guide, "Filter pattern syntax for metric
// filters, subscription filters, filter log events, and Live Tail").
//
// A pattern consists of terms, of regular expressions between percent signs, of one selection
// of properties in JSON in braces, or of space-delimited fields in brackets.
package filterpattern

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Pattern is a filter pattern. The zero Pattern matches every message.
type Pattern struct {
	required, optional, excluded []func(message string) bool
	json                         condition
	selectors                    map[string][]step // of json, by their texts
	fields                       *fields
}

// Parse reads a pattern.
func Parse(text string) (Pattern, error) {
	text = strings.TrimSpace(text)
	switch {
	case strings.HasPrefix(text, "["):
		f, err := parseFields(text)
		return Pattern{fields: f}, err
	case strings.HasPrefix(text, "{"):
		return parseJSON(text)
	}
	return parseTerms(text)
}

// Match reports whether the pattern matches a message.
func (p Pattern) Match(message string) bool {
	if p.json != nil {
		return matchJSON(p.json, message)
	}
	if p.fields != nil {
		return p.fields.match(message)
	}
	for _, matches := range p.required {
		if !matches(message) {
			return false
		}
	}
	for _, matches := range p.excluded {
		if matches(message) {
			return false
		}
	}
	// Optional terms are ignored beside others.
	if len(p.optional) == 0 || len(p.required)+len(p.excluded) > 0 {
		return true
	}
	for _, matches := range p.optional {
		if matches(message) {
			return true
		}
	}
	return false
}

// parseTerms reads terms: word, "a phrase", ?optional, -excluded and %expression%.
func parseTerms(text string) (p Pattern, err error) {
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(text) {
		list := &p.required
		switch text[0] {
		case '?':
			list, text = &p.optional, text[1:]
		case '-':
			list, text = &p.excluded, text[1:]
		}
		var matches func(string) bool
		if matches, text, err = parseTerm(text); err != nil {
			return Pattern{}, err
		}
		*list = append(*list, matches)
	}
	return p, nil
}

func parseTerm(text string) (matches func(string) bool, rest string, err error) {
	switch {
	case strings.HasPrefix(text, `"`):
		phrase, rest, err := unquote(text)
		return func(message string) bool { return strings.Contains(message, phrase) }, rest, err
	case strings.HasPrefix(text, "%"):
		expression, rest, err := parseExpression(text)
		if err != nil {
			return nil, "", err
		}
		return expression.MatchString, rest, nil
	}
	end := strings.IndexAny(text, " \t\n")
	if end < 0 {
		end = len(text)
	}
	word, rest := text[:end], text[end:]
	if word == "" || strings.ContainsFunc(word, isSpecial) {
		return nil, "", fmt.Errorf("Invalid character(s) in term '%s'", word) //nolint:staticcheck // AWS's message
	}
	return func(message string) bool { return strings.Contains(message, word) }, rest, nil
}

// isSpecial reports whether terms with the character need quotation marks.
func isSpecial(r rune) bool {
	return r != '_' && r < 0x80 && !('0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z')
}

// unquote reads a text in quotation marks, in which a backslash protects the next character.
func unquote(text string) (phrase, rest string, err error) {
	var out strings.Builder
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] == '"':
			return out.String(), text[i+1:], nil
		case text[i] == '\\' && i+1 < len(text) && (text[i+1] == '"' || text[i+1] == '\\'):
			i++
		}
		out.WriteByte(text[i])
	}
	return "", "", errors.New("the filter pattern has an unclosed quotation mark")
}

var expressionForm = regexp.MustCompile(`^[A-Za-z0-9:_#=@/;,\-^$?\[\]{}|\\*+.]+$`)

// parseExpression reads a regular expression between percent signs. The operators that
// CloudWatch Logs has mean the same in Go.
func parseExpression(text string) (expression *regexp.Regexp, rest string, err error) {
	body, rest, closed := strings.Cut(text[1:], "%")
	if !closed || !expressionForm.MatchString(body) {
		return nil, "", fmt.Errorf("the regular expression %s is invalid", text)
	}
	expression, err = regexp.Compile(body)
	if err != nil {
		return nil, "", fmt.Errorf("the regular expression %s is invalid", body)
	}
	return expression, rest, nil
}
