//go:build linux

package volume

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// used returns the bytes that a file takes.
func used(t *testing.T, path string) int64 {
	t.Helper()
	var stat unix.Stat_t
	if err := unix.Stat(path, &stat); err != nil {
		t.Fatal(err)
	}
	return stat.Blocks * 512
}

func TestContentsAreSparseCopiedAndDeleted(t *testing.T) {
	s, err := Open(filepath.Join(t.TempDir(), "volumes"))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Create(t.Context(), "vol-1", 2, ""); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(s.Path("vol-1"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteAt([]byte("content"), 1<<30)
	if closed := f.Close(); err != nil || closed != nil {
		t.Fatal(err, closed)
	}
	if err := s.Create(t.Context(), "vol-1", 2, ""); err != nil { // an interrupted call is repeated
		t.Fatal(err)
	}
	if err := s.Create(t.Context(), "snap-1", 3, "vol-1"); err != nil {
		t.Fatal(err)
	}
	if err := s.Grow("vol-1", 4); err != nil {
		t.Fatal(err)
	}
	for id, gib := range map[string]int64{"vol-1": 4, "snap-1": 3} {
		info, err := os.Stat(s.Path(id))
		if err != nil || info.Size() != gib<<30 || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", id, info, err)
		}
		if n := used(t, s.Path(id)); n == 0 || n > 1<<20 {
			t.Errorf("%s takes %d bytes", id, n)
		}
		content := make([]byte, 7)
		if f, err = os.Open(s.Path(id)); err != nil {
			t.Fatal(err)
		}
		if _, err := f.ReadAt(content, 1<<30); err != nil || string(content) != "content" {
			t.Errorf("%s has %q, %v", id, content, err)
		}
		_ = f.Close()
	}
	if err := s.Create(t.Context(), "vol-2", 1, "missing"); err == nil {
		t.Error("copied what is not there")
	}
	if err := s.Remove("vol-1"); err != nil {
		t.Fatal(err)
	}
	if ids, err := s.List(); err != nil || !slices.Equal(ids, []string{"snap-1"}) {
		t.Errorf("left: %v, %v", ids, err)
	}
}

func TestUnfinishedContentsAreDeleted(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "vol-1.new"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestUdevIsToldOfTheFolder(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(filepath.Join(dir, "volumes"))
	if err != nil {
		t.Fatal(err)
	}
	run := filepath.Join(dir, "udev")
	if err := s.HideFromUdev(run, "aloft"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(run); err == nil {
		t.Error("a host without udev got rules")
	}
	if err := os.Mkdir(run, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := s.HideFromUdev(run, "aloft"); err != nil {
		t.Fatal(err)
	}
	rules, err := os.ReadFile(filepath.Join(run, "rules.d/10-aloft-volumes.rules"))
	if err != nil || !strings.Contains(string(rules), `ATTR{loop/backing_file}=="`+s.Path("*")+`"`) {
		t.Errorf("rules %s, %v", rules, err)
	}
}
