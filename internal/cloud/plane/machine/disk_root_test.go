//go:build linux && root

package machine_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/machine"
)

// A machine fills its disk, with one large file and with many small ones. Its neighbour and the
// host do not notice.
func TestRealDiskHasTheSizeOfItsVolume(t *testing.T) {
	s := newFixture(t)
	full, neighbour := s.machine(1), s.machine(2)
	full.DiskGiB = 1
	s.bootFully(full)
	s.bootFully(neighbour)
	if kib := s.number(full.ID, "df --output=size / | tail -1"); kib < 900<<10 || kib > 1<<20 {
		t.Errorf("the disk of 1 GiB shows %d KiB", kib)
	}
	if kib := s.number(neighbour.ID, "df --output=size / | tail -1"); kib < 7<<20 || kib > 8<<20 {
		t.Errorf("the disk of 8 GiB shows %d KiB", kib)
	}
	hostBefore := freeBytes(t, s.config.Dir)
	for fill, why := range map[string]string{
		"fallocate -l 900M /srv/large; head -c 200M /dev/zero >/srv/more":  "No space left on device",
		"mkdir /srv/many; i=0; while : >/srv/many/$i; do i=$((i+1)); done": "No space left on device",
	} {
		if out, err := s.run(full.ID, "sh", "-c", fill); err == nil || !strings.Contains(out, why) {
			t.Errorf("%s: %v: %s", fill, err, out)
		}
		s.mustRun(neighbour.ID, "sh", "-c", "head -c 1M /dev/zero >/srv/file && sync")
		s.mustRun(full.ID, "rm", "-r", "/srv")
		s.mustRun(full.ID, "sh", "-c", "mkdir /srv && echo kept >/srv/kept && sync")
	}
	if used := hostBefore - freeBytes(t, s.config.Dir); used > 300<<20 {
		t.Errorf("after its files were deleted the disk takes %d MiB of the host's", used>>20)
	}
	s.expectOutput(full.ID, map[string]string{"cat /srv/kept": "kept"})
	if err := s.plane.Remove(t.Context(), full.ID); err != nil {
		t.Error(err)
	}
}

// number returns the output of a command in a machine as a number.
func (s *fixture) number(id, command string) int {
	s.Helper()
	n, err := strconv.Atoi(s.mustRun(id, "sh", "-c", command))
	if err != nil {
		s.Fatal(err)
	}
	return n
}

func freeBytes(t *testing.T, dir string) int64 {
	t.Helper()
	var stat unix.Statfs_t
	if err := unix.Statfs(dir, &stat); err != nil {
		t.Fatal(err)
	}
	return int64(stat.Bavail) * stat.Bsize
}

// Each generation starts from an image of the one before, and so has one layer more. The plane
// is opened again between them, as after a restart of the daemon.
func TestRealGenerationsOfImages(t *testing.T) {
	s := newFixture(t)
	var layers []string
	for generation := 1; generation <= 3; generation++ {
		m := s.machine(generation, layers...)
		s.bootFully(m)
		number := strconv.Itoa(generation)
		write := "mkdir -p /srv/all; echo N >/srv/all/N; echo N >/srv/last"
		s.mustRun(m.ID, "sh", "-c", strings.ReplaceAll(write, "N", number))
		s.plane = s.reopen()
		layer, err := s.plane.Capture(t.Context(), m.ID, s.images, generation == 2)
		if err != nil {
			t.Fatal(err)
		}
		s.awaitSystem(m.ID)
		s.mustRun(m.ID, "sh", "-c", "rm -r /srv/all; echo later >/srv/last")
		layers = append(layers, s.images.Path(layer))
	}
	for generation := 1; generation <= 3; generation++ {
		s.expectOutput(s.machine(generation).ID, map[string]string{"cat /srv/last; ls /srv": "later\nlast"})
	}
	if err := s.plane.Remove(t.Context(), s.machine(1).ID); err != nil {
		t.Fatal(err)
	}
	last := s.machine(1, layers...)
	s.bootFully(last)
	s.expectOutput(last.ID, map[string]string{
		"cat /srv/all/* /srv/last":                                     "1\n2\n3\n3",
		"stat --format %d / /etc /etc/passwd /srv/last | uniq | wc -l": "1",
	})
}

// Earlier versions kept what a machine wrote in a folder.
func TestRealMachineOfAnEarlierVersionKeepsItsFiles(t *testing.T) {
	s := newFixture(t)
	m := s.machine(1)
	folder := filepath.Join(s.config.Dir, m.ID, "disk", "upper", "srv")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "old"), []byte("old\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	s.bootFully(m)
	s.expectOutput(m.ID, map[string]string{"stat --format %U /srv/old; cat /srv/old": "root\nold"})
	if kib := s.number(m.ID, "df --output=size / | tail -1"); kib > 8<<20 {
		t.Errorf("its disk of 8 GiB shows %d KiB", kib)
	}
	if layers := s.plane.Status(m.ID).Layers; len(layers) != 2 || !s.images.Has(filepath.Base(layers[1])) {
		t.Errorf("layers %v, want those of the image and one of the store", layers)
	}
	if _, err := os.Stat(filepath.Join(s.config.Dir, m.ID, "disk")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is left: %v", err)
	}
}

// A disk that its machine did not unmount, as after a power failure, has a journal to replay.
func TestRealLayerOfAnInterruptedMachineRecovers(t *testing.T) {
	s := newFixture(t)
	m := s.machine(1)
	s.bootFully(m)
	s.mustRun(m.ID, "sh", "-c", "echo written >/srv/file; sync")
	own := filepath.Join(s.config.Dir, m.ID, "disk.ext4")
	crashed := own + ".crashed"
	if out, err := exec.Command("cp", "--sparse=always", own, crashed).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := s.plane.Stop(t.Context(), m.ID, true); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(crashed, own); err != nil {
		t.Fatal(err)
	}
	layer, err := s.plane.Capture(t.Context(), m.ID, s.images, true)
	if err != nil {
		t.Fatal(err)
	}
	second := s.machine(2, s.images.Path(layer))
	s.bootFully(second)
	s.expectOutput(second.ID, map[string]string{"cat /srv/file": "written"})
}

func TestRealOtherUsersOfTheHostDoNotReachMachines(t *testing.T) {
	s := newFixture(t)
	m := s.machine(1)
	s.bootFully(m)
	for _, path := range []string{
		filepath.Join(s.config.RunDir, m.ID, "root/etc/passwd"), filepath.Join(s.config.RunDir, m.ID, "net"),
		filepath.Join(s.config.RunDir, m.ID, "control"), filepath.Join(s.config.Dir, m.ID, "disk.ext4"),
		filepath.Join(s.config.Dir, m.ID, "console.log"), s.images.Path("layer"),
	} {
		// stat needs only that the folders above can be searched.
		stat := exec.Command("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "stat", path)
		out, err := stat.CombinedOutput()
		if err == nil || !strings.Contains(string(out), "Permission denied") {
			t.Errorf("nobody on the host reaches %s: %v: %s", path, err, out)
		}
	}
	if status := s.plane.Status(m.ID); status.State != machine.Running {
		t.Errorf("status %+v", status)
	}
}
