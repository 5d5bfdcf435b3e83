package diag

import (
	"testing"
	"unicode/utf8"
)

func TestPrintable(t *testing.T) {
	for raw, want := range map[string]string{
		"plain, täglich 日本 👩‍💻\tend\nnext": "plain, täglich 日本 👩‍💻\tend\nnext",
		"\x1b[31mred\x1b[0m":               "red",
		"a\x00b\ac\x7fd\re":                "abcde",
		"\u009b31mred\u0085next\u009d":     "31mrednext",
		"\x9b31mred":                       "\ufffd31mred",
		"\u202eexe.gpj\u202c\u2066a\u2069": "exe.gpja",
		"\u200ea\u200fb\u061c":             "ab",
		"a\u2028b\u2029c":                  "abc",
		"\x1b]0;title\x07text":             "0;titletext",
		"unfinished \x1b[":                 "unfinished ",
	} {
		if got := Printable(raw); got != want {
			t.Errorf("%q becomes %q, not %q", raw, got, want)
		}
	}
}

func FuzzPrintable(f *testing.F) {
	f.Add("a\x1b[31m\u009b\x9b\u202e\n")
	f.Fuzz(func(t *testing.T, raw string) {
		got := Printable(raw)
		for _, r := range got {
			if r != '\t' && r != '\n' && changesTerminal(r) {
				t.Errorf("%q becomes %q", raw, got)
			}
		}
		if !utf8.ValidString(got) {
			t.Errorf("%q becomes %q", raw, got)
		}
	})
}
