//go:build linux

package image

import (
	"os"
	"path/filepath"
	"testing"
)

func TestRecipeDigestIsStable(t *testing.T) {
	first, err := recipeDigest()
	if err != nil {
		t.Fatal(err)
	}
	if second, _ := recipeDigest(); second != first || len(first) != 10 {
		t.Errorf("digests %s and %s", first, second)
	}
}

func TestImageHasExecutableHooksAndAProtectedSudoers(t *testing.T) {
	root := t.TempDir()
	for range 2 { // the second run must accept the result of the first
		if err := configureBase(root); err != nil {
			t.Fatal(err)
		}
	}
	modes := map[string]os.FileMode{
		"usr/lib/aloft/first-boot":            0o755,
		"etc/sudoers.d/90-aloft":              0o440,
		"etc/ssh/sshd_config.d/50-aloft.conf": 0o644,
	}
	for path, mode := range modes {
		if info, err := os.Stat(filepath.Join(root, path)); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: got %v, %v; want mode %o", path, info, err, mode)
		}
	}
	for path, target := range links {
		if got, err := os.Readlink(filepath.Join(root, path)); err != nil || got != target {
			t.Errorf("%s links to %q, %v; want %s", path, got, err, target)
		}
	}
}
