package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func TestReadFromReturnsWhatThisStartLogged(t *testing.T) {
	file := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(file, []byte("before\nnow\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := readFrom(file, 7); got != "now\n" {
		t.Errorf("got %q", got)
	}
	if err := os.WriteFile(file, bytes.Repeat([]byte("x"), 9000), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := readFrom(file, 7); len(got) != 4096 {
		t.Errorf("got %d bytes, want the last 4096", len(got))
	}
	if got := readFrom(file+"-missing", 0); got != "" {
		t.Errorf("got %q", got)
	}
}
