package logquery

import (
	"cmp"
	"strconv"
	"strings"
	"time"
)

type kind uint8

const (
	absent kind = iota
	text
	number
	moment // milliseconds since 1970
)

// value is a value of a field or an expression. The zero value is that of a field that a record does not have.
type value struct {
	kind   kind
	text   string
	number float64
}

func textValue(s string) value    { return value{kind: text, text: s} }
func numberValue(n float64) value { return value{kind: number, number: n} }
func momentValue(ms float64) value {
	return value{kind: moment, number: ms}
}

// truth returns a Boolean, which is 1 or 0.
func truth(b bool) value {
	if b {
		return numberValue(1)
	}
	return numberValue(0)
}

// true reports whether a value counts as true.
func (v value) true() bool {
	if n, ok := v.numeric(); ok {
		return n != 0
	}
	return v.text == "true"
}

const (
	timeFormat = "2006-01-02 15:04:05.000"
	// The times that the format can express, in milliseconds since 1970.
	minMoment, maxMoment = -62135596800000, 253402300799999
)

func (v value) String() string {
	switch v.kind {
	case moment:
		if v.number >= minMoment && v.number <= maxMoment {
			return time.UnixMilli(int64(v.number)).UTC().Format(timeFormat)
		}
		return formatNumber(v.number)
	case number:
		return formatNumber(v.number)
	case text, absent:
	}
	return v.text
}

// formatNumber returns a number with at most four decimals.
func formatNumber(n float64) string {
	s := strconv.FormatFloat(n, 'f', 4, 64)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

// numeric returns the number that a value is or has as its text.
func (v value) numeric() (float64, bool) {
	switch v.kind {
	case number, moment:
		return v.number, true
	case text:
		return parseNumber(v.text)
	case absent:
	}
	return 0, false
}

// maxNumeral is the longest text that may be a number.
const maxNumeral = 64

func parseNumber(s string) (float64, bool) {
	if s == "" || len(s) > maxNumeral || strings.Trim(s, "0123456789+-.eE") != "" {
		return 0, false
	}
	n, err := strconv.ParseFloat(s, 64)
	return n, err == nil
}

// compare compares two values as numbers if both are, or else as texts.
func compare(a, b value) int {
	m, ok := a.numeric()
	n, both := b.numeric()
	if ok && both {
		return cmp.Compare(m, n)
	}
	return strings.Compare(a.String(), b.String())
}

// compareNaturally is the order of sort: texts before numbers, and digits in texts by the numbers they are (Amazon
// CloudWatch Logs User Guide, "sort"). Absent values come first.
func compareNaturally(a, b value) int {
	if a.kind == absent || b.kind == absent {
		return cmp.Compare(min(a.kind, 1), min(b.kind, 1))
	}
	m, first := a.numeric()
	n, second := b.numeric()
	switch {
	case first && second:
		return cmp.Compare(m, n)
	case first:
		return 1
	case second:
		return -1
	}
	return compareChunks(a.String(), b.String())
}

// compareChunks compares texts by runs of digits and of other characters.
func compareChunks(a, b string) int {
	for a != "" && b != "" {
		x, y := chunk(a), chunk(b)
		order := strings.Compare(x, y)
		if isDigit(x[0]) && isDigit(y[0]) {
			order = cmp.Or(cmp.Compare(len(x), len(y)), order)
		}
		if order != 0 {
			return order
		}
		a, b = a[len(x):], b[len(y):]
	}
	return cmp.Compare(len(a), len(b))
}

// chunk returns the run of characters of one kind at the start of a text.
func chunk(s string) string {
	i := 1
	for i < len(s) && isDigit(s[i]) == isDigit(s[0]) {
		i++
	}
	return s[:i]
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
