//go:build linux && root

package machine_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/machine"
)

// While the host's disk is full a machine loses what it writes, but its disk stays usable. No
// other machine starts.
func TestRealMachineSurvivesAFullHost(t *testing.T) {
	s := newFixture(t)
	s.config.Dir = filepath.Join(smallDisk(t), "machines")
	s.plane = s.reopen()
	t.Cleanup(s.removeAll) // before the disk is unmounted
	m := s.machine(1)
	s.bootFully(m)
	filler, err := os.Create(filepath.Join(s.config.Dir, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = filler.Write(make([]byte, 4096))
	}
	if !errors.Is(err, unix.ENOSPC) {
		t.Fatal(err)
	}
	if out, err := s.run(m.ID, "sh", "-c", "head -c 1M /dev/urandom >/srv/file && sync /srv/file"); err == nil {
		t.Errorf("a file was synced to a full disk: %s", out)
	}
	s.mustRun(m.ID, "sh", "-c", "touch /srv/empty && sync /srv") // the journal has its space
	if _, err := s.plane.Prepare(t.Context(), s.machine(2)); !errors.Is(err, machine.ErrNoRoom) {
		t.Errorf("another machine: %v", err)
	}
	if _, err := s.plane.Capture(t.Context(), m.ID, s.images, true); !errors.Is(err, machine.ErrNoRoom) {
		t.Errorf("an image: %v", err)
	}
	if err := os.Remove(filler.Name()); err != nil {
		t.Fatal(err)
	}
	if err := filler.Close(); err != nil {
		t.Fatal(err)
	}
	s.mustRun(m.ID, "sh", "-c", "head -c 1M /dev/urandom >/srv/file && sync /srv/file")
}

// A disk becomes read-only when the host's is full for long. A reboot repairs it.
func TestRealRebootRepairsAReadOnlyDisk(t *testing.T) {
	s := newFixture(t)
	m := s.machine(1)
	s.bootFully(m)
	s.mustRun(m.ID, "sh", "-c", "echo kept >/srv/kept && sync /srv/kept")
	if s.plane.IsReadOnly(m.ID) {
		t.Error("a disk without errors is read-only")
	}
	s.failDisk(m.ID)
	if !s.plane.IsReadOnly(m.ID) {
		t.Error("a disk with an error is not read-only")
	}
	if out, err := s.run(m.ID, "touch", "/srv/file"); err == nil {
		t.Errorf("the disk is not read-only: %s", out)
	}
	if err := s.plane.Reboot(t.Context(), m.ID); err != nil {
		t.Fatal(err)
	}
	s.awaitSystem(m.ID)
	s.mustRun(m.ID, "touch", "/srv/file")
	if s.plane.IsReadOnly(m.ID) {
		t.Error("the disk is read-only after the reboot")
	}
	s.expectOutput(m.ID, map[string]string{"cat /srv/kept": "kept"})
	if status := s.plane.Status(m.ID); status.Boots != 2 {
		t.Errorf("after the reboot: %+v", status)
	}
}

// failDisk makes the kernel treat the machine's disk as one that failed.
func (s *fixture) failDisk(id string) {
	s.Helper()
	backing, err := filepath.Glob("/sys/block/loop*/loop/backing_file")
	if err != nil {
		s.Fatal(err)
	}
	for _, path := range backing {
		file, err := os.ReadFile(path)
		if err != nil || strings.TrimSpace(string(file)) != filepath.Join(s.config.Dir, id, "disk.ext4") {
			continue
		}
		device := filepath.Base(filepath.Dir(filepath.Dir(path)))
		trigger := filepath.Join("/sys/fs/ext4", device, "trigger_fs_error")
		if err := os.WriteFile(trigger, []byte("test"), 0); err != nil {
			s.Fatal(err)
		}
		return
	}
	s.Fatal("no loop device has the disk of " + id)
}

// smallDisk returns a folder on a disk of its own.
func smallDisk(t *testing.T) string {
	t.Helper()
	file, dir := filepath.Join(t.TempDir(), "disk"), t.TempDir()
	for _, command := range [][]string{
		{"truncate", "-s", "600M", file}, {"mkfs.ext4", "-q", "-m", "0", file}, {"mount", "-o", "loop", file, dir},
	} {
		if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v: %s", command, err, out)
		}
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
	return dir
}
