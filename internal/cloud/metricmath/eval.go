package metricmath

import (
	"math"
	"slices"
)

func (n number) eval(*run) (value, error) { return scalar(n), nil }

func (n reference) eval(r *run) (value, error) { return r.value(string(n)) }

func (n word) eval(*run) (value, error) {
	return nil, problemf("Unexpected token: %s", string(n))
}

func (n text) eval(*run) (value, error) {
	return nil, problemf("Unexpected string: %q", string(n))
}

// maxSeries is how many series an array has at most: as many as a request has metrics.
const maxSeries = 500

// eval returns the series of all elements, which are series or arrays themselves.
func (n list) eval(r *run) (value, error) {
	var out array
	for _, element := range n {
		v, err := element.eval(r)
		if err != nil {
			return nil, err
		}
		switch v := v.(type) {
		case series:
			out = append(out, v)
		case array:
			out = append(out, v...)
		case scalar:
			return nil, problemf("An array contains a %s", v.kind())
		}
		if len(out) > maxSeries {
			return nil, problemf("An array contains more than %d time series", maxSeries)
		}
	}
	return out, r.spend(1)
}

// operators compute a pair of values.
var operators = map[string]func(a, b float64) float64{
	"+":  func(a, b float64) float64 { return a + b },
	"-":  func(a, b float64) float64 { return a - b },
	"*":  func(a, b float64) float64 { return a * b },
	"/":  func(a, b float64) float64 { return a / b },
	"^":  math.Pow,
	"==": func(a, b float64) float64 { return truth(a == b) },
	"!=": func(a, b float64) float64 { return truth(a != b) },
	"<=": func(a, b float64) float64 { return truth(a <= b) },
	">=": func(a, b float64) float64 { return truth(a >= b) },
	"<":  func(a, b float64) float64 { return truth(a < b) },
	">":  func(a, b float64) float64 { return truth(a > b) },
	"&&": func(a, b float64) float64 { return truth(a != 0 && b != 0) },
	"||": func(a, b float64) float64 { return truth(a != 0 || b != 0) },
}

func truth(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

func (n binary) eval(r *run) (value, error) {
	left, err := n.left.eval(r)
	if err != nil {
		return nil, err
	}
	right, err := n.right.eval(r)
	if err != nil {
		return nil, err
	}
	return r.combine(n.symbol, left, right, operators[n.symbol])
}

// unsupported are functions of AWS that need what the local cloud does not have.
var unsupported = []string{
	"ANOMALY_DETECTION_BAND", "DB_PERF_INSIGHTS", "INSIGHT_RULE_METRIC", "LAMBDA", "SEARCH", "SERVICE_QUOTA",
}

// newCall returns the call of a function.
func newCall(name string, args []node) (node, error) {
	if slices.Contains(unsupported, name) {
		return nil, &UnsupportedError{name}
	}
	f, ok := functions[name]
	if !ok {
		return nil, problemf("Function '%s' not found", name)
	}
	if len(args) < f.least || len(args) > f.most {
		return nil, problemf("Function '%s' does not take %d arguments", name, len(args))
	}
	return call{f, name, args}, nil
}

func (n call) eval(r *run) (value, error) { return n.compute(r, n) }

// value returns the value of an argument.
func (n call) value(r *run, i int) (value, error) { return n.args[i].eval(r) }

// wrong returns the error for an argument of a type that the function does not take.
func (n call) wrong(v value) error {
	return problemf("Unsupported operand type(s) for %s: '[%s]'", n.name, v.kind())
}

// series returns the first argument, which is a series.
func (n call) series(r *run) (series, error) {
	v, err := n.value(r, 0)
	if err != nil {
		return series{}, err
	}
	s, ok := v.(series)
	if !ok {
		return series{}, n.wrong(v)
	}
	return s, nil
}

// array returns the first argument, which is an array.
func (n call) array(r *run) (array, error) {
	v, err := n.value(r, 0)
	if err != nil {
		return nil, err
	}
	a, ok := v.(array)
	if !ok {
		return nil, n.wrong(v)
	}
	return a, nil
}

// scalar returns an argument that is a scalar.
func (n call) scalar(r *run, i int) (float64, error) {
	v, err := n.value(r, i)
	if err != nil {
		return 0, err
	}
	s, ok := v.(scalar)
	if !ok {
		return 0, n.wrong(v)
	}
	return float64(s), nil
}

// word returns an argument that is one of some words, or "".
func (n call) word(i int, of ...string) string {
	if i >= len(n.args) {
		return ""
	}
	if w, ok := n.args[i].(word); ok && slices.Contains(of, string(w)) {
		return string(w)
	}
	return ""
}
