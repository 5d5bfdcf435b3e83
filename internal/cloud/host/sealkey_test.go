//go:build linux

package host

import (
	"os"
	"testing"

	"aloft.dev/aloft/internal/cloud/seal"
)

func TestTheSealKeyIsCreatedOnceForRootAlone(t *testing.T) {
	layout, err := LayoutFor(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	first, err := EnsureSealKey(layout)
	if err != nil {
		t.Fatal(err)
	}
	second, err := EnsureSealKey(layout)
	if err != nil {
		t.Fatal(err)
	}
	row := seal.Row{Table: "secrets", Name: "x"}
	if got, err := second.Open(first.Seal([]byte("value"), row), row); err != nil || string(got) != "value" {
		t.Errorf("the second call's key: got %q, %v; want the first call's key", got, err)
	}
	info, err := os.Stat(layout.sealKey())
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode of the file: %v, %v; want 0600", info, err)
	}
	if err := os.WriteFile(layout.sealKey(), []byte("cut"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := EnsureSealKey(layout); err == nil {
		t.Error("a damaged key is accepted")
	}
}
