//go:build linux

package host

import (
	"bytes"
	"os"
	"testing"
)

func TestTheSessionKeyIsCreatedOnceForRootAlone(t *testing.T) {
	layout, err := LayoutFor(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	first, err := EnsureSessionKey(layout)
	if err != nil {
		t.Fatal(err)
	}
	second, err := EnsureSessionKey(layout)
	if err != nil || !bytes.Equal(first, second) || bytes.Equal(first, make([]byte, len(first))) {
		t.Errorf("second call: %v; want the first call's key", err)
	}
	info, err := os.Stat(layout.sessionKey())
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode of the file: %v, %v; want 0600", info, err)
	}
	if err := os.WriteFile(layout.sessionKey(), []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := EnsureSessionKey(layout); err == nil {
		t.Error("a damaged key is used or replaced")
	}
}
