package filterpattern

import (
	"errors"
	"testing"
)

func TestMatch(t *testing.T) {
	const object = `{"a":{"b":[1,"two"]},"n":404,"s":"GET /x","t":true,"z":null,"k-1":"v","dotted.name":"d","big":1e3}`
	for _, c := range []struct {
		pattern, message string
		want             bool
	}{
		{"", "anything", true},
		{"ERROR", "[ERROR] it failed", true},
		{"ERROR", "error", false},
		{"ERROR timeout", "timeout after ERROR", true},
		{"ERROR timeout", "ERROR", false},
		{`"it failed"`, "[ERROR] it failed", true},
		{`"it failed"`, "failed it", false},
		{`"say \"no\""`, `they say "no"`, true},
		{"?ERROR ?WARN", "WARN: slow", true},
		{"?ERROR ?WARN", "INFO", false},
		{"?ERROR INFO", "INFO", true}, // ? is ignored beside other terms
		{"ERROR -ignored", "ERROR ignored", false},
		{"ERROR -ignored", "ERROR", true},
		{"-ERROR", "INFO", true},
		{`-"not found"`, "404 not found", false},
		{"größe", "die größe", true},
		{"%4[0-9]{2}%", "status 404", true},
		{"%^4%", "status 404", false},
		{"{ $.n = 404 }", object, true},
		{"{ $.n = 4* }", object, true},
		{"{ $.n != 404 }", object, false},
		{"{ $.missing != 404 }", object, false},
		{"{ $.n >= 400 && $.n < 500 }", object, true},
		{"{ $.n > 404 }", object, false},
		{"{ $.n <= 403.5 }", object, false},
		{`{ $.s = "GET *" }`, object, true},
		{`{ $.s = "GET" }`, object, false},
		{`{ $.s = "post" || ( $.t IS TRUE && $.z IS NULL ) }`, object, true},
		{"{ $.t IS FALSE }", object, false},
		{"{ $.missing NOT EXISTS }", object, true},
		{"{ $.z NOT EXISTS }", object, false},
		{"{ $.a NOT EXISTS }", object, false},
		{"{ $.missing IS NULL }", object, false},
		{`{ $.a.b[0] = 1 && $.a.b[1] = "two" }`, object, true},
		{"{ $.a.b[2] = 1 }", object, false},
		{"{ $.a = 1 }", object, false},
		{"{ $.k-1 = v }", object, true},
		{`{ $.["dotted.name"] = d }`, object, true},
		{"{ $.big = 1000 }", object, true},
		{"{ $.s = %^GET% }", object, true},
		{"{ $.n = 404 }", "n is 404", false},
		{"{ $.n = 404 }", `{"n":404} {"n":404}`, false},
	} {
		p, err := Parse(c.pattern)
		if err != nil || p.Match(c.message) != c.want {
			t.Errorf("%s on %s: got %v, %v", c.pattern, c.message, !c.want, err)
		}
	}
}

func TestPatternsThatAreRefused(t *testing.T) {
	for _, pattern := range []string{
		"a.b", "-", "?", `"open`, "%open", "%(a)%", "%[%", "{", "{}", "{ $ = 1 }", "{ $.a }", "{ $.a = }",
		"{ $.a > x }", "{ ($.a = 1 }", "{ $.a = 1 } x", "{ a = 1 }", "{ $.a = 1 & $.b = 2 }",
	} {
		if _, err := Parse(pattern); err == nil {
			t.Errorf("%s is accepted", pattern)
		}
	}
	if _, err := Parse("[ip, user]"); !errors.Is(err, ErrDelimited) {
		t.Errorf("got %v", err)
	}
	if _, err := Parse("a.b"); err.Error() != "Invalid character(s) in term 'a.b'" {
		t.Errorf("got %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`{ $.a.b[0] = "x*" && ($.c IS NULL || $.d > 1) }`, `{"a":1}`)
	f.Add(`?a -"b c" %d+%`, "text")
	f.Fuzz(func(_ *testing.T, pattern, message string) {
		if p, err := Parse(pattern); err == nil {
			p.Match(message)
		}
	})
}
