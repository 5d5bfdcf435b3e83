//go:build linux

package route

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestWildcardsMatchAsOnAWS(t *testing.T) {
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
		if got := p.match([]byte(c.text)); got != c.want {
			t.Errorf("%q matches %q: %v", c.pattern, c.text, got)
		}
	}
}

func TestWildcardsMatchLikeTheSameRegularExpression(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		wildcards := rapid.StringOfN(rapid.SampledFrom([]rune("aB/*?")), 0, 8, -1).Draw(rt, "pattern")
		text := rapid.StringOfN(rapid.SampledFrom([]rune("abB/")), 0, 12, -1).Draw(rt, "text")
		ignoreCase := rapid.Bool().Draw(rt, "ignore case")
		expression := strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(regexp.QuoteMeta(wildcards))
		if ignoreCase {
			expression = "(?i)" + expression
		}
		p := newPattern(wildcards, ignoreCase)
		want := regexp.MustCompile("^(?:" + expression + ")$").MatchString(text)
		if got := p.match([]byte(text)); got != want {
			rt.Fatalf("%q matches %q: %v", wildcards, text, got)
		}
	})
}
