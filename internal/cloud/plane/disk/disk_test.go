//go:build linux

package disk

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestDiskIsSparseApartFromItsJournal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "disk.ext4")
	if err := Create(t.Context(), path, 8<<30); err != nil {
		t.Fatal(err)
	}
	var stat unix.Stat_t
	if err := unix.Stat(path, &stat); err != nil {
		t.Fatal(err)
	}
	const journal = 16 << 20
	if used := stat.Blocks * 512; stat.Size != 8<<30 || used < journal || used > journal+8<<20 {
		t.Errorf("the disk has %d bytes and uses %d", stat.Size, used)
	}
	if stat.Mode&0o777 != 0o600 || !Is(path) || Is(filepath.Dir(path)) {
		t.Errorf("mode %o, is a disk: %v", stat.Mode, Is(path))
	}
	files, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(files) != 1 {
		t.Errorf("files %v, %v", files, err)
	}
}

func TestCreateNeedsSpaceForAFilesystem(t *testing.T) {
	path := filepath.Join(t.TempDir(), "disk.ext4")
	if err := Create(t.Context(), path, 1<<20); err == nil {
		t.Error("a disk of 1 MiB has a journal of 16 MiB")
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a disk that was not formatted is left")
	}
}
