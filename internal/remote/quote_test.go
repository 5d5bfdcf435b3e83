package remote_test

import (
	"os/exec"
	"testing"

	"aloft.dev/aloft/internal/remote"
)

// The shell itself checks the quoting.
func TestQuote(t *testing.T) {
	for _, text := range []string{"", "plain", "it's", `a "b" \c`, "$HOME `id` $(id)", "two\nlines", "*"} {
		out, err := exec.Command("sh", "-c", "printf %s "+remote.Quote(text)).Output()
		if err != nil || string(out) != text {
			t.Errorf("%q came back as %q, %v", text, out, err)
		}
	}
}
