//go:build linux

package host

import (
	"os"
	"testing"
)

func TestCredentialsAreCreatedOnceForRootAlone(t *testing.T) {
	layout, err := LayoutFor(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	first, err := EnsureCredentials(layout)
	if err != nil {
		t.Fatal(err)
	}
	second, err := EnsureCredentials(layout)
	if err != nil || first != second {
		t.Errorf("second call: got %v, %v; want the first call's credentials", second, err)
	}
	if len(first.AccessKeyID) != 20 || len(first.SecretAccessKey) != 40 {
		t.Errorf("got %d and %d characters, want AWS's 20 and 40", len(first.AccessKeyID), len(first.SecretAccessKey))
	}
	info, err := os.Stat(layout.credentials())
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode of the file: %v, %v; want 0600", info, err)
	}
}
