package balancer

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"aloft.dev/aloft/internal/cloud/plane/balancer/http1"
)

// request is the head of a request; fields are names and values in turn.
func request(method, host, path, query string, fields ...string) *http1.Request {
	r := &http1.Request{Method: []byte(method), Host: []byte(host), Path: []byte(path)}
	if query != "" {
		r.Query = []byte(query)
	}
	for i := 0; i < len(fields); i += 2 {
		r.Fields = append(r.Fields, http1.Field{Name: []byte(fields[i]), Value: []byte(fields[i+1])})
	}
	return r
}

var somewhere = netip.MustParseAddr("192.0.2.9")

func TestWildcardsMatchAsAWSSays(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"/img/*", "/img/picture.jpg", true},
		{"/img/*", "/img/", true},
		{"/img/*", "/img", false},
		{"/img/*", "/img/a/b/c", true},
		{"/img/*/pics", "/img/a/b/pics", true},
		{"/img/*/pics", "/img/pics", false},
		{"/img/*/pics", "/img/x/pics/pics", true},
		{"/a?c", "/abc", true},
		{"/a?c", "/ac", false},
		{"/a?c", "/a/c", true},
		{"*", "", true},
		{"", "", true},
		{"", "x", false},
		{"**a**", "bab", true},
		{"*aab", "aaaaaaab", true},
		{"/IMG", "/img", false},
		{`a\*b`, "a*b", true},
		{`a\*b`, "axb", false},
		{`a\?`, "a?", true},
		{`a\b`, `a\b`, true},
	} {
		p := newPattern(c.pattern, false)
		if got := p.like([]byte(c.text)); got != c.want {
			t.Errorf("%q matches %q: %v", c.pattern, c.text, got)
		}
	}
}

func TestWildcardsMeanWhatTheSameExpressionMeans(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		wildcards := rapid.StringOfN(rapid.SampledFrom([]rune("aB/*?")), 0, 8, -1).Draw(rt, "pattern")
		text := rapid.StringOfN(rapid.SampledFrom([]rune("abB/")), 0, 12, -1).Draw(rt, "text")
		fold := rapid.Bool().Draw(rt, "fold")
		expression := strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(regexp.QuoteMeta(wildcards))
		if fold {
			expression = "(?i)" + expression
		}
		p := newPattern(wildcards, fold)
		if got, want := p.like([]byte(text)), regexp.MustCompile("^(?:"+expression+")$").MatchString(text); got != want {
			rt.Fatalf("%q matches %q: %v", wildcards, text, got)
		}
	})
}

func TestConditionsAreMetAsAWSSays(t *testing.T) {
	values := func(field string, v ...string) Condition { return Condition{Field: field, Values: v} }
	regex := func(field string, v ...string) Condition { return Condition{Field: field, Regexes: v} }
	header := func(name string, v ...string) Condition {
		return Condition{Field: "http-header", Header: name, Values: v}
	}
	query := func(p ...Pair) Condition { return Condition{Field: "query-string", Pairs: p} }
	get := request(
		"GET",
		"Test.Example.com:8080",
		"/Img/a.jpg",
		"Version=V1&x=an+Example&flag&a=b=c",
		"User-Agent",
		"Mozilla Chrome/1",
		"X-Tag",
		"one",
		"x-tag",
		"two",
	)
	for i, c := range []struct {
		condition Condition
		want      bool
	}{
		{values("host-header", "*.example.com"), true},
		{values("host-header", "test.EXAMPLE.com"), true},
		{values("host-header", "example.com"), false},
		{values("host-header", "example.org", "t?st.example.com"), true},
		{regex("host-header", `^Test\.`), true},
		{regex("host-header", `\.com$`), true},
		{regex("host-header", `^Test\.Example\.com:8080$`), true},
		{regex("host-header", `^test`), false},
		{values("path-pattern", "/Img/*"), true},
		{values("path-pattern", "/img/*"), false},
		{regex("path-pattern", `^/[A-Z][a-z]+/a\.(jpg|png)$`), true},
		{regex("path-pattern", `mg/a`), true},
		{header("user-agent", "*chrome*", "*Safari*"), true},
		{header("User-Agent", "chrome"), false},
		{header("X-Tag", "TWO"), true},
		{header("X-Other", "*"), false},
		{values("http-request-method", "POST", "GET"), true},
		{values("http-request-method", "get"), false},
		{query(Pair{"version", "v1"}), true},
		{query(Pair{"VERSION", "v?"}), true},
		{query(Pair{"version", "v2"}), false},
		{query(Pair{"", "*example*"}), true},
		{query(Pair{"x", "*example"}), true},
		{query(Pair{"", "flag"}), true},
		{query(Pair{"flag", ""}), true},
		{query(Pair{"a", "b=c"}), true},
		{query(Pair{"x", "v1"}), false},
		{query(Pair{"y", "*"}, Pair{"*", "v1"}), true},
		{values("source-ip", "198.51.100.0/24", "192.0.2.0/24"), true},
		{values("source-ip", "2001:db8::/32"), false},
		{values("source-ip", "192.0.2.9/32"), true},
		{values("unheard-of", "*"), false},
	} {
		t.Run(fmt.Sprintf("%d %+v", i, c.condition), func(t *testing.T) {
			if got := compileCondition(c.condition).met(get, somewhere); got != c.want {
				t.Errorf("met: %v", got)
			}
		})
	}
	if !compileCondition(values("source-ip", "192.0.2.0/24")).met(get, netip.MustParseAddr("::ffff:192.0.2.9")) {
		t.Error("an IPv4 address in IPv6 form is not taken for what it is")
	}
	if string(withoutPort([]byte("[2001:db8::1]"))) != "[2001:db8::1]" ||
		string(withoutPort([]byte("[2001:db8::1]:80"))) != "[2001:db8::1]" {
		t.Error("an IPv6 host loses its end")
	}
}
