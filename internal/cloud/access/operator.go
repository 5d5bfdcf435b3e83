package access

import (
	"bytes"
	"encoding/base64"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// operator compares a value of the request with a value of the policy. match reports
// whether they match and whether both have the form that the operator needs.
type operator struct {
	match   func(wanted pattern, value string) (matched, ok bool)
	negated bool
}

// operators holds all condition operators except Null, by their names in lower case
// without IfExists.
var operators = map[string]operator{
	"stringequals":              {match: equal},
	"stringnotequals":           {match: equal, negated: true},
	"stringequalsignorecase":    {match: equalFold},
	"stringnotequalsignorecase": {match: equalFold, negated: true},
	"stringlike":                {match: like},
	"stringnotlike":             {match: like, negated: true},

	"numericequals":            numeric(func(order int) bool { return order == 0 }, false),
	"numericnotequals":         numeric(func(order int) bool { return order == 0 }, true),
	"numericlessthan":          numeric(func(order int) bool { return order < 0 }, false),
	"numericlessthanequals":    numeric(func(order int) bool { return order <= 0 }, false),
	"numericgreaterthan":       numeric(func(order int) bool { return order > 0 }, false),
	"numericgreaterthanequals": numeric(func(order int) bool { return order >= 0 }, false),

	"dateequals":            date(func(order int) bool { return order == 0 }, false),
	"datenotequals":         date(func(order int) bool { return order == 0 }, true),
	"datelessthan":          date(func(order int) bool { return order < 0 }, false),
	"datelessthanequals":    date(func(order int) bool { return order <= 0 }, false),
	"dategreaterthan":       date(func(order int) bool { return order > 0 }, false),
	"dategreaterthanequals": date(func(order int) bool { return order >= 0 }, false),

	"bool":         {match: sameBoolean},
	"binaryequals": {match: sameBytes},
	"ipaddress":    {match: inNetwork},
	"notipaddress": {match: inNetwork, negated: true},

	// ArnEquals behaves as ArnLike (IAM User Guide, "Amazon Resource Name (ARN)
	// condition operators").
	"arnequals":    {match: likeARN},
	"arnlike":      {match: likeARN},
	"arnnotequals": {match: likeARN, negated: true},
	"arnnotlike":   {match: likeARN, negated: true},
}

func equal(wanted pattern, value string) (matched, ok bool) { return wanted.literal() == value, true }

func equalFold(wanted pattern, value string) (matched, ok bool) {
	return strings.EqualFold(wanted.literal(), value), true
}

func like(wanted pattern, value string) (matched, ok bool) { return wanted.matches(value), true }

func numeric(holds func(order int) bool, negated bool) operator {
	match := func(wanted pattern, value string) (matched, ok bool) {
		limit, err := strconv.ParseFloat(wanted.literal(), 64)
		number, numberErr := strconv.ParseFloat(value, 64)
		if err != nil || numberErr != nil || math.IsNaN(limit) || math.IsNaN(number) {
			return false, false
		}
		switch {
		case number < limit:
			return holds(-1), true
		case number > limit:
			return holds(1), true
		}
		return holds(0), true
	}
	return operator{match, negated}
}

func date(holds func(order int) bool, negated bool) operator {
	match := func(wanted pattern, value string) (matched, ok bool) {
		limit, okLimit := parseTime(wanted.literal())
		moment, okMoment := parseTime(value)
		if !okLimit || !okMoment {
			return false, false
		}
		return holds(moment.Compare(limit)), true
	}
	return operator{match, negated}
}

// timeForms are the forms of W3C's profile of ISO 8601, which date operators read besides
// seconds since 1970.
var timeForms = []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00", "2006-01-02", "2006-01"}

func parseTime(text string) (time.Time, bool) {
	for _, form := range timeForms {
		if t, err := time.Parse(form, text); err == nil {
			return t, true
		}
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	return time.Unix(seconds, 0), err == nil
}

func boolean(text string) (value, ok bool) {
	switch strings.ToLower(text) {
	case "true":
		return true, true
	case "false":
		return false, true
	}
	return false, false
}

func sameBoolean(wanted pattern, value string) (matched, ok bool) {
	want, okWant := boolean(wanted.literal())
	got, okGot := boolean(value)
	return okWant && okGot && want == got, okWant && okGot
}

func sameBytes(wanted pattern, value string) (matched, ok bool) {
	want, err := base64.StdEncoding.DecodeString(wanted.literal())
	got, gotErr := base64.StdEncoding.DecodeString(value)
	return err == nil && gotErr == nil && bytes.Equal(want, got), err == nil && gotErr == nil
}

func inNetwork(wanted pattern, value string) (matched, ok bool) {
	address, err := netip.ParseAddr(value)
	if err != nil {
		return false, false
	}
	text := wanted.literal()
	network, err := netip.ParsePrefix(text)
	if err != nil {
		single, singleErr := netip.ParseAddr(text)
		if singleErr != nil {
			return false, false
		}
		network = netip.PrefixFrom(single, single.BitLen())
	}
	return network.Contains(address.Unmap()), true
}

// arnParts is the number of components of an ARN.
const arnParts = 6

// likeARN compares the components of two ARNs one by one, so that no wildcard extends
// over a component. The last component may contain colons.
func likeARN(wanted pattern, value string) (matched, ok bool) {
	values := strings.SplitN(value, ":", arnParts)
	var parts []pattern
	rest := wanted
	for len(parts) < arnParts-1 {
		i := indexRune(rest, ':')
		if i < 0 {
			break
		}
		parts, rest = append(parts, rest[:i]), rest[i+1:]
	}
	parts = append(parts, rest)
	if len(parts) == 1 && wanted.literal() == "*" {
		return true, true
	}
	if len(parts) != arnParts || len(values) != arnParts {
		return false, len(parts) == arnParts
	}
	for i, part := range parts {
		if !part.matches(values[i]) {
			return false, true
		}
	}
	return true, true
}

func indexRune(p pattern, c rune) int {
	for i, have := range p {
		if have == c {
			return i
		}
	}
	return -1
}
