package metricmath_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/metricmath"
)

// noon is on a Thursday.
var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// parse reads the values of a series: "1 - 3", where "-" is missing.
func parse(t *testing.T, text string) (values []float64) {
	t.Helper()
	for _, f := range strings.Fields(text) {
		v := math.NaN()
		if f != "-" {
			if _, err := fmt.Sscan(f, &v); err != nil {
				t.Fatal(err)
			}
		}
		values = append(values, v)
	}
	return values
}

func format(series []metricmath.Series) string {
	var all []string
	for _, s := range series {
		var values []string
		for _, v := range s.Values {
			text := "-"
			if !math.IsNaN(v) {
				text = fmt.Sprintf("%.6g", v)
			}
			values = append(values, text)
		}
		all = append(all, strings.Join(values, " "))
	}
	return strings.Join(all, "; ")
}

// metrics are those of the guide's examples for IF, and of its comparisons.
var metrics = map[string]string{
	"m1": "1 1 0 0 -", "m2": "30 - 0 0 30", "m3": "0 0 20 - 20",
	"a": "30 20 0 0", "b": "20 - 20 -",
	"x": "2 - 4 8 -", "n": "- - - -", "errors4xx": "1 2 3 4", "errors5xx": "10 - 10 10",
}

// run evaluates an expression over some of the metrics, with a period of a minute.
func run(t *testing.T, expression string, ids ...string) (map[string][]metricmath.Series, error) {
	t.Helper()
	sources, given, n := []metricmath.Source{{ID: "e", Expression: expression}}, map[string][]float64{}, 0
	for _, id := range ids {
		sources = append(sources, metricmath.Source{ID: id, Label: strings.ToUpper(id)})
		given[id] = parse(t, metrics[id])
		n = len(given[id])
	}
	p, err := metricmath.Compile(sources)
	if err != nil {
		return nil, err
	}
	return p.Run(metricmath.Grid{Start: noon, Period: time.Minute, N: n}, given)
}

func TestExpressionsFollowTheGuide(t *testing.T) {
	for _, tc := range []struct{ expression, over, want string }{
		// Comparison and logical operators.
		{"a < b", "a b", "0 0 1 0"},
		{"a >= 30", "a", "1 0 0 0"},
		{"a > 15 AND b > 15", "a b", "1 0 0 0"},
		{"a > 15 && b > 15 || a == 0", "a b", "1 0 1 1"},
		// Using IF expressions.
		{"IF(m1, m2, m3)", "m1 m2 m3", "30 0 20 - -"},
		{"IF(m1, 5, m3)", "m1 m3", "5 5 20 - -"},
		{"IF(m1, m2, 5)", "m1 m2", "30 0 5 5 -"},
		{"IF(m1, m2)", "m1 m2", "30 0 - - -"},
		{"IF(1, m2, m3)", "m2 m3", "30 - 0 0 30"},
		{"IF(0, m2, m3)", "m2 m3", "0 0 20 - 20"},
		{"IF(0, m2)", "m2", "- - - - -"},
		{"IF(a<25, 10, 2)", "a", "2 10 10 10"},
		// Arithmetic: missing values are zero, and quotients by zero are dropped.
		{"a + b", "a b", "50 20 20 0"},
		{"a / b", "a b", "1.5 - 0 -"},
		{"5 * x", "x", "10 - 20 40 -"},
		{"2 + 3 * 2 ^ 2 ^ 0 * x - 1", "x", "13 - 25 49 -"},
		{"-x ^ 2", "x", "-4 - -16 -64 -"},
		{"(2 + 3) * x", "x", "10 - 20 40 -"},
		{"[a, b] / a", "a b", "1 1 - -; 0.666667 0 - -"},
		{"METRICS() * 100", "a b", "3000 2000 0 0; 2000 - 2000 -"},
		{"SUM(100 / [a, b])", "a b", "8.33333 5 5 -"},
		{"1e3 * x", "x", "2000 - 4000 8000 -"},
		// Functions.
		{"ABS(-x)", "x", "2 - 4 8 -"},
		{"CEIL(x / 3)", "x", "1 - 2 3 -"},
		{"FLOOR(x / 3)", "x", "0 - 1 2 -"},
		{"LOG10(x * 50)", "x", "2 - 2.30103 2.60206 -"},
		{"LOG(a)", "a", "3.4012 2.99573 - -"},
		{"DIFF(x)", "x", "- - 2 4 -"},
		{"DIFF_TIME(x)", "x", "- - 120 60 -"},
		{"RATE(x)", "x", "- - 0.0166667 0.0666667 -"},
		{"RUNNING_SUM(x)", "x", "2 - 6 14 -"},
		{"FILL(x, 0)", "x", "2 0 4 8 0"},
		{"FILL(n, 7)", "n", "7 7 7 7"},
		{"FILL(x, REPEAT)", "x", "2 2 4 8 8"},
		{"FILL(x, LINEAR)", "x", "2 3 4 8 -"},
		{"FILL(b, a)", "a b", "20 20 20 0"},
		{"FILL(b, MIN(b))", "b", "20 20 20 20"},
		{"x - AVG(x)", "x", "-2.66667 - -0.666667 3.33333 -"},
		{"AVG(METRICS())", "a b", "25 10 10 0"},
		{"MAX([a, b])", "a b", "30 20 20 0"},
		{"MIN([a, b])", "a b", "20 20 0 0"},
		{"MAX(x) / x", "x", "4 - 2 1 -"},
		{"SUM(METRICS('5xx')) / SUM(METRICS(\"4xx\"))", "errors4xx errors5xx", "10 0 3.33333 2.5"},
		{"SUM([METRICS(“4xx”), METRICS(“5xx”)])", "errors4xx errors5xx", "11 2 13 14"},
		{"STDDEV([a, b])", "a b", "5 0 10 0"},
		{"x / STDDEV(x)", "x", "0.801784 - 1.60357 3.20713 -"},
		{"DATAPOINT_COUNT([a, b])", "a b", "2 1 2 1"},
		{"SUM(x) / DATAPOINT_COUNT(x) + x * 0", "x", "4.66667 - 4.66667 4.66667 -"},
		{"a / METRIC_COUNT(METRICS())", "a b", "15 10 0 0"},
		{"x / PERIOD(x)", "x", "0.0333333 - 0.0666667 0.133333 -"},
		{"TIME_SERIES(MAX(x))", "x", "8 8 8 8 8"},
		{"REMOVE_EMPTY(METRICS())", "n x", "2 - 4 8 -"},
		{"FIRST(SORT(METRICS(), AVG, DESC))", "b a", "20 - 20 -"},
		{"LAST([a, b])", "a b", "20 - 20 -"},
		{"SORT(METRICS(), SUM, ASC)", "a b", "20 - 20 -; 30 20 0 0"},
		{"SORT(METRICS(), MAX, DESC, 1)", "b a", "30 20 0 0"},
		{"SLICE(METRICS(), 1)", "a b", "20 - 20 -"},
		{"SLICE(METRICS(), 0, 1)", "a b", "30 20 0 0"},
		{"HOUR(x)", "x", "12 12 12 12 12"},
		{"MINUTE(x)", "x", "0 1 2 3 4"},
		{"IF(DAY(x) == 4, x)", "x", "2 0 4 8 0"},
		{"IF(DAY(x) < 4, x, 1)", "x", "1 1 1 1 1"},
		{"DATE(n) + MONTH(n) + YEAR(n)", "n", "2063 2063 2063 2063"},
		{"EPOCH(x) - EPOCH(x)", "x", "0 0 0 0 0"},
	} {
		got, err := run(t, tc.expression, strings.Fields(tc.over)...)
		if err != nil {
			t.Errorf("%s: %v", tc.expression, err)
		} else if text := format(got["e"]); text != tc.want {
			t.Errorf("%s = %s, want %s", tc.expression, text, tc.want)
		}
	}
}

func TestMistakesAreNamed(t *testing.T) {
	for expression, want := range map[string]string{
		"m9":                  "Undefined variable: m9",
		"ANOMALY_DETECTOR(a)": "Function 'ANOMALY_DETECTOR' not found",
		"METRICS()/METRICS()": "Unsupported operand type(s) for /: '[Array[TimeSeries], Array[TimeSeries]]'",
		"ABS(5)":              "Unsupported operand type(s) for ABS: '[Scalar]'",
		"FIRST(a)":            "Unsupported operand type(s) for FIRST: '[TimeSeries]'",
		"IF([a, b], a, b)":    "Unsupported operand type(s) for IF",
		"TIME_SERIES(a)":      "Unsupported operand type(s) for TIME_SERIES: '[TimeSeries]'",
		"AVG(a)":              "must return a time series",
		"5":                   "must return a time series",
		"PERIOD(a + b) * a":   "takes a metric",
		"a +":                 "Unexpected end",
		"a b":                 "Unexpected token: b",
		"(a":                  "Unexpected end",
		"a ? b":               "Unexpected character: '?'",
		"ABS(a, b)":           "does not take 2 arguments",
		"FILL(a)":             "does not take 1 arguments",
		"FILL(a, UP)":         "Unexpected token: UP",
		"SORT([a], UP, ASC)":  "SORT",
		"METRICS(a)":          "takes a string",
		"[a, 5]":              "An array contains a Scalar",
		"'text'":              "Unexpected string",
		"e + a":               "Circular dependency",
		"":                    "Unexpected end",
		strings.Repeat("(", 1000) + "a" + strings.Repeat(")", 1000): "nested too deeply",
	} {
		if expression == "" {
			expression = " "
		}
		_, err := run(t, expression, "a", "b")
		wrong, ok := errors.AsType[*metricmath.Error](err)
		if !ok || wrong.ID != "e" || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", expression, err, want)
		}
	}
	for expression, want := range map[string]string{
		"SEARCH('{AWS/EC2} CPU', 'Average')": "SEARCH", "ANOMALY_DETECTION_BAND(a, 2)": "ANOMALY_DETECTION_BAND",
		"SELECT AVG(CPUUtilization) FROM SCHEMA(\"AWS/EC2\")": "SELECT of Metrics Insights",
	} {
		_, err := run(t, expression, "a")
		if refused, ok := errors.AsType[*metricmath.UnsupportedError](err); !ok || refused.Function != want {
			t.Errorf("%s: %v", expression, err)
		}
	}
}

func TestExpressionsReferToEachOther(t *testing.T) {
	p, err := metricmath.Compile([]metricmath.Source{
		{ID: "rate", Expression: "100 * failed / total", Label: "Errors"},
		{ID: "total", Expression: "SUM(METRICS())"}, {ID: "all", Expression: "METRICS()", Label: "of"},
		{ID: "failed"}, {ID: "fine", Label: "Fine"}, {ID: "constant", Expression: "TIME_SERIES(1)"},
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := p.Run(metricmath.Grid{Start: noon, Period: time.Minute, N: 2}, map[string][]float64{
		"failed": {1, math.NaN()}, "fine": {3, 4},
	})
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]string{
		"rate": "25 0", "total": "4 4", "all": "1 -; 3 4", "failed": "1 -", "constant": "1 1",
	} {
		if text := format(got[id]); text != want {
			t.Errorf("%s = %s, want %s", id, text, want)
		}
	}
	labels := fmt.Sprintf("%s|%s|%s|%s", got["rate"][0].Label, got["total"][0].Label, got["all"][0].Label,
		got["all"][1].Label)
	if labels != "Errors|total|of|of Fine" {
		t.Errorf("labels %s", labels)
	}
	if arrays := p.Arrays(); len(arrays) != 1 || arrays[0] != "all" {
		t.Errorf("arrays are %v", arrays)
	}
	if !p.Uses("rate") || p.Uses("constant") {
		t.Error("Uses does not tell an expression over metrics from a constant")
	}
	circle := []metricmath.Source{{ID: "a", Expression: "b + c"}, {ID: "b", Expression: "a"}, {ID: "c"}}
	_, err = metricmath.Compile(circle)
	if err == nil || !strings.Contains(err.Error(), "Circular dependency") {
		t.Errorf("a circle: %v", err)
	}
}

func TestExpensiveExpressionsEnd(t *testing.T) {
	sources := []metricmath.Source{{ID: "m"}}
	for i := range 100 {
		sources = append(sources, metricmath.Source{
			ID: fmt.Sprintf("e%d", i), Expression: "[" + strings.Repeat("m,", 399) + "m] * 1 * 1 * 1",
		})
	}
	p, err := metricmath.Compile(sources)
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.Run(metricmath.Grid{Start: noon, Period: time.Minute, N: 10_000}, nil)
	if !errors.Is(err, metricmath.ErrTooLong) {
		t.Errorf("got %v", err)
	}
	wide := []metricmath.Source{{ID: "m"}, {ID: "e", Expression: "[" + strings.Repeat("m,", 499) + "m]"},
		{ID: "f", Expression: "[e, e]"}}
	if _, err := metricmath.Compile(wide); err == nil || !strings.Contains(err.Error(), "more than 500") {
		t.Errorf("an array of 1,000 series: %v", err)
	}
}

func FuzzCompile(f *testing.F) {
	for _, s := range []string{"IF(a>1,b,0)", "SUM(METRICS(\"x\"))^-2", "FILL([a,b],LINEAR)", "“", "1e", "a||b&&!c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, expression string) {
		p, err := metricmath.Compile([]metricmath.Source{{ID: "e", Expression: expression + " "}, {ID: "a"}, {ID: "b"}})
		if err != nil {
			return
		}
		got, err := p.Run(metricmath.Grid{Start: noon, Period: time.Minute, N: 3}, map[string][]float64{
			"a": {1, math.NaN(), -1}, "b": {0, 2, math.NaN()},
		})
		if err != nil {
			t.Fatalf("%s compiles and does not run: %v", expression, err)
		}
		for _, s := range got["e"] {
			for _, v := range s.Values {
				if math.IsInf(v, 0) {
					t.Errorf("%s has an infinite value", expression)
				}
			}
		}
	})
}
