package logquery

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// scanner reads the parts of a query's text. What a slash means depends on what the grammar expects, so there are no
// tokens.
type scanner struct {
	text string
	pos  int
}

func (s *scanner) errorf(format string, args ...any) error {
	return &SyntaxError{Offset: s.pos, Message: fmt.Sprintf(format, args...)}
}

// space skips white space and comments.
func (s *scanner) space() {
	for s.pos < len(s.text) {
		switch c := s.text[s.pos]; {
		case c == '#':
			end := strings.IndexByte(s.text[s.pos:], '\n')
			if end < 0 {
				end = len(s.text) - s.pos
			}
			s.pos += end
		case c == ' ', c == '\t', c == '\n', c == '\r':
			s.pos++
		default:
			return
		}
	}
}

// done reports whether nothing but space is left.
func (s *scanner) done() bool {
	s.space()
	return s.pos == len(s.text)
}

// found describes what is next, for errors.
func (s *scanner) found() string {
	s.space()
	if s.pos == len(s.text) {
		return "end of the query"
	}
	if word := s.word(); word != "" {
		return word
	}
	r, _ := utf8.DecodeRuneInString(s.text[s.pos:])
	return string(r)
}

// accept consumes a symbol if it is next.
func (s *scanner) accept(symbol string) bool {
	s.space()
	if strings.HasPrefix(s.text[s.pos:], symbol) {
		s.pos += len(symbol)
		return true
	}
	return false
}

func (s *scanner) expect(symbol string) error {
	if s.accept(symbol) {
		return nil
	}
	return s.errorf("unexpected symbol found %s, expected %s", s.found(), symbol)
}

func isWord(c byte) bool {
	return c == '_' || isDigit(c) || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// word returns the word that is next, or "", and leaves it there.
func (s *scanner) word() string {
	s.space()
	end := s.pos
	for end < len(s.text) && isWord(s.text[end]) {
		end++
	}
	return s.text[s.pos:end]
}

// keyword consumes one of the words if it is next, whatever its case, and returns it.
func (s *scanner) keyword(words ...string) string {
	next := s.word()
	for _, word := range words {
		if strings.EqualFold(next, word) {
			s.pos += len(next)
			return word
		}
	}
	return ""
}

// field consumes the name of a field, or returns "". Parts of names that have other characters are in backquotes.
func (s *scanner) field() (string, error) {
	s.space()
	var name strings.Builder
	for s.pos < len(s.text) {
		c := s.text[s.pos]
		if c == '`' {
			end := strings.IndexByte(s.text[s.pos+1:], '`')
			if end < 0 {
				return "", s.errorf("unexpected end of the query, expected `")
			}
			name.WriteString(s.text[s.pos+1 : s.pos+1+end])
			s.pos += end + 2
			continue
		}
		if !isWord(c) && c != '@' && c != '.' {
			break
		}
		name.WriteByte(c)
		s.pos++
	}
	return name.String(), nil
}

// quoted consumes a text in quotes, and reports whether there is one.
func (s *scanner) quoted() (string, bool, error) {
	s.space()
	if s.pos == len(s.text) || s.text[s.pos] != '"' && s.text[s.pos] != '\'' {
		return "", false, nil
	}
	quote := s.text[s.pos]
	var out strings.Builder
	for i := s.pos + 1; i < len(s.text); i++ {
		switch c := s.text[i]; {
		case c == quote:
			s.pos = i + 1
			return out.String(), true, nil
		case c == '\\' && i+1 < len(s.text):
			i++
			out.WriteByte(unescape(s.text[i]))
		default:
			out.WriteByte(c)
		}
	}
	return "", false, s.errorf("unexpected end of the query, expected %c", quote)
}

func unescape(c byte) byte {
	switch c {
	case 'n':
		return '\n'
	case 't':
		return '\t'
	case 'r':
		return '\r'
	}
	return c
}

// regular consumes a regular expression between slashes, and returns nil if there is none.
func (s *scanner) regular() (*regexp.Regexp, error) {
	s.space()
	if s.pos == len(s.text) || s.text[s.pos] != '/' {
		return nil, nil
	}
	start := s.pos + 1
	for i := start; i < len(s.text); i++ {
		switch s.text[i] {
		case '\\':
			i++
		case '/':
			form, err := regexp.Compile(strings.ReplaceAll(s.text[start:i], `\/`, `/`))
			if err != nil {
				return nil, s.errorf("invalid regular expression: %v", err)
			}
			s.pos = i + 1
			return form, nil
		}
	}
	return nil, s.errorf("unexpected end of the query, expected /")
}

// digits consumes a number without a sign, and reports whether there is one.
func (s *scanner) digits() (float64, bool) {
	s.space()
	end := s.pos
	for end < len(s.text) && (isDigit(s.text[end]) || s.text[end] == '.' && end > s.pos) {
		end++
	}
	n, err := strconv.ParseFloat(s.text[s.pos:end], 64)
	if err != nil {
		return 0, false
	}
	s.pos = end
	return n, true
}

// units are the units of periods, in milliseconds (Amazon CloudWatch Logs User Guide, "Datetime functions").
var units = map[string]float64{
	"ms": 1, "msec": 1, "millisecond": 1, "milliseconds": 1, "s": 1000, "sec": 1000, "second": 1000, "seconds": 1000,
	"m": 60000, "min": 60000, "minute": 60000, "minutes": 60000,
	"h": 3600000, "hr": 3600000, "hour": 3600000, "hours": 3600000,
	"d": 86400000, "day": 86400000, "days": 86400000, "w": 604800000, "week": 604800000, "weeks": 604800000,
}

// period consumes a period, and returns it in milliseconds.
func (s *scanner) period() (float64, error) {
	n, ok := s.digits()
	if !ok {
		n = 1
	}
	unit := s.word()
	length, known := units[unit]
	if !known || n < 1 || n != float64(int64(n)) {
		return 0, s.errorf("unexpected symbol found %s, expected a period", s.found())
	}
	s.pos += len(unit)
	return n * length, nil
}
