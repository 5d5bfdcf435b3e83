package filterpattern

import (
	"maps"
	"testing"
)

const line = `127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534`

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
		{"[ip, id, user, time, request, status, size]", line, true},
		{"[ip, id, user, time, request, status]", line, false},
		{"[..., status, size]", line, true},
		{"[ip, ..., size]", line, true},
		{"[..., status=404, size]", line, true},
		{"[..., status=4*, size]", line, true},
		{"[..., status=5*, size]", line, false},
		{"[..., status!=200, size]", line, true},
		{"[..., status, size>1000]", line, true},
		{"[..., status, size>1000 && size<=1534]", line, true},
		{"[..., status=404 || status=410, size]", line, true},
		{`[ip, id, user, time, request="GET /index.html*", status, size]`, line, true},
		{`[ip, id, user, time, request="POST *", status, size]`, line, false},
		{"[ip=%127\\.0\\.[0-9.]+%, ...]", line, true},
		{"[,,,,,status_code=404,]", line, true},
		{"[w1=ERROR, w2]", "ERROR now", true},
		{"[w1=ERROR, w2]", "ERROR right now", false},
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
	for _, pattern := range []string{"[", "[a", "[a] b", "[a=]", "[..., b, ...]", "[a ~ b]", "[a=b && c=d]"} {
		if _, err := Parse(pattern); err == nil {
			t.Errorf("%s is accepted", pattern)
		}
	}
	if _, err := Parse("a.b"); err.Error() != "Invalid character(s) in term 'a.b'" {
		t.Errorf("got %v", err)
	}
}

func TestValuesOfMessages(t *testing.T) {
	for _, c := range []struct {
		pattern, message string
		want             map[string]string
	}{
		{"ERROR", "ERROR", map[string]string{}},
		{"{ $.n = * && $.s = a }", `{"n":7,"s":"a","t":true}`, map[string]string{"$.n": "7", "$.s": "a"}},
		{"[ip, ..., status=4*, size]", line, map[string]string{"$ip": "127.0.0.1", "$status": "404", "$size": "1534"}},
		{"[w1, , w3]", "a b c", map[string]string{"$w1": "a", "$2": "b", "$w3": "c"}},
	} {
		p, err := Parse(c.pattern)
		if got := p.Values(c.message); err != nil || !maps.Equal(got, c.want) {
			t.Errorf("%s: got %v, %v, want %v", c.pattern, got, err, c.want)
		}
	}
	p, _ := Parse("{ $.n = 7 }")
	if got, ok := p.Value(`{"n":7,"t":true}`, "$.t"); got != "true" || !ok { // which the pattern does not name
		t.Errorf("got %q", got)
	}
	for _, selector := range []string{"$.x", "$name", "x"} {
		if got, ok := p.Value(`{"n":7}`, selector); ok {
			t.Errorf("%s: got %q", selector, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`{ $.a.b[0] = "x*" && ($.c IS NULL || $.d > 1) }`, `{"a":1}`)
	f.Add(`?a -"b c" %d+%`, "text")
	f.Add(`[a, ..., b=4* || b>5, c!="x y"]`, line)
	f.Fuzz(func(_ *testing.T, pattern, message string) {
		if p, err := Parse(pattern); err == nil {
			p.Match(message)
		}
	})
}
