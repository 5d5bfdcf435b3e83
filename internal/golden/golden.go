// Package golden compares what tests produce with golden files. With the flag -update, tests write these files.
package golden

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

// Updating reports whether tests write their golden files.
func Updating() bool { return *update }

// Check fails a test unless a golden file has a content. With -update it writes the file first.
func Check(t testing.TB, file, got string) {
	t.Helper()
	if Updating() {
		if err := write(file, got); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got; -update writes it):\n%s", file, diff)
	}
}

func write(file, content string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(content), 0o600)
}
