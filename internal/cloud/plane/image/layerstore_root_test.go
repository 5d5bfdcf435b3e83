//go:build linux && root

package image

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestRealCleanGoesOnPastWhatCannotBeDeleted(t *testing.T) {
	s := openStore(t)
	stays := filepath.Join(s.trash(), "a")
	for _, dir := range []string{stays, filepath.Join(s.trash(), "b", "c")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := unix.Mount("aloft", stays, "tmpfs", 0, ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(stays, 0); err != nil {
			t.Error(err)
		}
	})
	if err := s.Clean(t.Context()); err == nil || !strings.Contains(err.Error(), stays) {
		t.Errorf("clean with a mount in the trash: %v", err)
	}
	if left, err := os.ReadDir(s.trash()); err != nil || len(left) != 1 {
		t.Errorf("left in the trash: %v, %v", left, err)
	}
}
