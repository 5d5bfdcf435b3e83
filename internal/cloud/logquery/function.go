package logquery

import (
	"math"
	"net/netip"
	"strings"
	"unicode/utf8"
)

// function is a function of values.
type function struct {
	least, most int // arguments; most < 0: any number
	apply       func(r *record, args []value) value
	absent      bool // it has a value even if arguments have none
}

// of returns the expression of a call. Without one of its arguments, a function has no value.
func (f function) of(list []expression) expression {
	return func(r *record) value {
		args := make([]value, len(list))
		for i, e := range list {
			args[i] = e(r)
			if args[i].kind == absent && !f.absent {
				return value{}
			}
		}
		return f.apply(r, args)
	}
}

// functions are the functions by their names in lower case (Amazon CloudWatch Logs User Guide, "Supported operations
// and functions").
var functions = map[string]function{
	"abs": numeric(math.Abs), "ceil": numeric(math.Ceil), "floor": numeric(math.Floor), "log": numeric(math.Log),
	"sqrt":     numeric(math.Sqrt),
	"greatest": {least: 1, most: -1, apply: extreme(1)}, "least": {least: 1, most: -1, apply: extreme(-1)},

	"isempty":     {1, 1, func(_ *record, args []value) value { return truth(args[0].String() == "") }, true},
	"isblank":     {1, 1, func(_ *record, args []value) value { return truth(isBlank(args[0].String())) }, true},
	"ispresent":   {1, 1, func(_ *record, args []value) value { return truth(args[0].kind != absent) }, true},
	"coalesce":    {1, -1, coalesce, true},
	"concat":      {1, -1, concat, true},
	"strlen":      {1, 1, func(_ *record, args []value) value { return length(args[0].String()) }, false},
	"toupper":     textual(strings.ToUpper),
	"tolower":     textual(strings.ToLower),
	"trim":        {1, 2, trim(strings.Trim), false},
	"ltrim":       {1, 2, trim(strings.TrimLeft), false},
	"rtrim":       {1, 2, trim(strings.TrimRight), false},
	"substr":      {2, 3, substr, false},
	"replace":     {3, 3, replace, false},
	"strcontains": {2, 2, contains, false},

	"frommillis": {1, 1, fromMillis, false},
	"tomillis":   {1, 1, toMillis, false},
	"now":        {0, 0, now, false},

	"isvalidip":    address(func(netip.Addr) bool { return true }),
	"isvalidipv4":  address(netip.Addr.Is4),
	"isvalidipv6":  address(netip.Addr.Is6),
	"isipinsubnet": subnet(func(netip.Addr) bool { return true }), "isipv4insubnet": subnet(netip.Addr.Is4),
	"isipv6insubnet": subnet(netip.Addr.Is6),
}

func numeric(f func(float64) float64) function {
	return function{1, 1, func(_ *record, args []value) value {
		n, ok := args[0].numeric()
		if !ok {
			return value{}
		}
		return finite(f(n))
	}, false}
}

func textual(f func(string) string) function {
	return function{1, 1, func(_ *record, args []value) value { return textValue(f(args[0].String())) }, false}
}

// extreme returns the greatest of the arguments, or the least if sign is negative.
func extreme(sign int) func(*record, []value) value {
	return func(_ *record, args []value) value {
		found := args[0]
		for _, v := range args[1:] {
			if compare(v, found)*sign > 0 {
				found = v
			}
		}
		return found
	}
}

func isBlank(s string) bool { return strings.TrimSpace(s) == "" }

func length(s string) value { return numberValue(float64(utf8.RuneCountInString(s))) }

func coalesce(_ *record, args []value) value {
	for _, v := range args {
		if v.kind != absent {
			return v
		}
	}
	return value{}
}

// maxText is the longest text that functions make, in bytes. Texts of events are not longer.
const maxText = 1 << 20

func concat(_ *record, args []value) value {
	var out strings.Builder
	for _, v := range args {
		out.WriteString(v.String())
	}
	return bounded(out.String())
}

func bounded(s string) value { return textValue(s[:min(len(s), maxText)]) }

func trim(f func(s, cutset string) string) func(*record, []value) value {
	return func(_ *record, args []value) value {
		cutset := " \t\r\n"
		if len(args) == 2 {
			cutset = args[1].String()
		}
		return textValue(f(args[0].String(), cutset))
	}
}

// substr returns the characters from an index, as many as the third argument says.
func substr(_ *record, args []value) value {
	runes := []rune(args[0].String())
	from, ok := args[1].numeric()
	if !ok {
		return value{}
	}
	count := float64(len(runes))
	if len(args) == 3 {
		if count, ok = args[2].numeric(); !ok {
			return value{}
		}
	}
	low := min(max(from, 0), float64(len(runes)))
	high := min(max(low+count, low), float64(len(runes)))
	return textValue(string(runes[int(low):int(high)]))
}

func replace(_ *record, args []value) value {
	s, old, by := args[0].String(), args[1].String(), args[2].String()
	if len(s)+strings.Count(s, old)*len(by) > maxText {
		return value{}
	}
	return textValue(strings.ReplaceAll(s, old, by))
}

func contains(_ *record, args []value) value {
	return truth(strings.Contains(args[0].String(), args[1].String()))
}

func fromMillis(_ *record, args []value) value {
	n, ok := args[0].numeric()
	if !ok {
		return value{}
	}
	return momentValue(n)
}

func toMillis(_ *record, args []value) value {
	n, ok := args[0].numeric()
	if !ok {
		return value{}
	}
	return numberValue(n)
}

// now returns the time at which the query started, in seconds.
func now(r *record, _ []value) value { return numberValue(float64(r.now.Unix())) }

func address(is func(netip.Addr) bool) function {
	return function{1, 1, func(_ *record, args []value) value {
		a, err := netip.ParseAddr(args[0].String())
		return truth(err == nil && is(a))
	}, false}
}

func subnet(is func(netip.Addr) bool) function {
	return function{2, 2, func(_ *record, args []value) value {
		a, err := netip.ParseAddr(args[0].String())
		p, wrong := netip.ParsePrefix(args[1].String())
		return truth(err == nil && wrong == nil && is(a) && p.Contains(a))
	}, false}
}
