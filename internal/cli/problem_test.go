package cli

import (
	"fmt"
	"strings"
	"testing"

	"aloft.dev/aloft/internal/diag"
)

// wantProblem checks that the diagnostics in err contain the words, hints
// included.
func wantProblem(t *testing.T, err error, words ...string) {
	t.Helper()
	var out strings.Builder
	for _, d := range diag.From(err) {
		_, _ = fmt.Fprintf(&out, "%s\n%s\n%s\n", d.Error(), d.Detail, d.Hint)
	}
	for _, word := range words {
		if !strings.Contains(out.String(), word) {
			t.Errorf("got %q, want %q in it", out.String(), word)
		}
	}
}
