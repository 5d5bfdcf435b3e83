package access

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// A pattern matches what the regular expression of the same meaning matches.
func TestPatternsAreRegularExpressions(t *testing.T) {
	wildcards := strings.NewReplacer(`\*`, ".*", `\?`, ".")
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[ab:*?]{0,12}`).Draw(t, "text")
		wanted := rapid.StringMatching(`[ab:*?]{0,8}`).Draw(t, "pattern")
		want := regexp.MustCompile(`^(?s:` + wildcards.Replace(regexp.QuoteMeta(wanted)) + `)$`).MatchString(text)
		if got := compile(wanted).matches(text); got != want {
			t.Errorf("%q matches %q: got %v, want %v", wanted, text, got, want)
		}
		if compile(wanted).matchesARN(text) && !want {
			t.Errorf("%q matches the ARN %q but not the text", wanted, text)
		}
		if compile(wanted).literal() != wanted {
			t.Errorf("the literal of %q is %q", wanted, compile(wanted).literal())
		}
	})
}

func TestLongPatternsTakeLittleTime(t *testing.T) {
	if compile(strings.Repeat("*a", 500) + "b").matches(strings.Repeat("a", 2000)) {
		t.Error("a pattern that ends in b matches a text without one")
	}
}
