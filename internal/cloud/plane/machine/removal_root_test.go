//go:build linux && root

package machine_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// limitDescriptors limits the open files of this process, as far below the depth of the
// planted folders as a daemon's limit is below what a machine can plant.
func limitDescriptors(t *testing.T, limit uint64) {
	t.Helper()
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: limit, Max: before.Max}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
			t.Error(err)
		}
	})
}

// plantFolders makes a chain of folders that has more levels than limitDescriptors leaves
// descriptors, and another whose names are as long as they can be.
const plantFolders = `perl -e '
for (["d", 600], ["n" x 255, 100]) {
	my ($name, $levels) = @$_;
	chdir "/var/tmp" or die;
	for (1..$levels) { mkdir $name or die "level $_: $!"; symlink "/", "link"; chdir $name or die }
}'`

func TestRealDeepFoldersOfAMachineAreDeleted(t *testing.T) {
	s := newFixture(t)
	m := s.machine(1)
	s.bootFully(m)
	if out, err := s.inside(m.ID, plantFolders); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	layer, err := s.plane.Capture(t.Context(), m.ID, s.images, true)
	if err != nil {
		t.Fatal(err)
	}
	s.awaitSystem(m.ID)
	if out, err := s.inside(m.ID, "mkdir /var/tmp/again && cd /var/tmp/again && "+
		strings.ReplaceAll(plantFolders, "/var/tmp", "/var/tmp/again")); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	limitDescriptors(t, 256)
	if err := s.plane.Remove(t.Context(), m.ID); err != nil {
		t.Error(err)
	}
	if err := s.images.Remove(t.Context(), layer); err != nil {
		t.Error(err)
	}
	for _, dir := range []string{filepath.Join(s.config.Dir, m.ID), s.images.Path(layer)} {
		if _, err := os.Lstat(dir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is still there: %v", dir, err)
		}
	}
}
