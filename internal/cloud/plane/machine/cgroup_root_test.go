//go:build linux && root

package machine_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// plantCgroups nests cgroups with names as long as they can be until the kernel refuses,
// then makes as many as it can side by side, and prints how many there are of both kinds.
const plantCgroups = `perl -e '
my ($name, $deep, $wide) = ("a" x 250, 0, 0);
chdir "/sys/fs/cgroup" or die;
while ($deep < 100 && mkdir $name) { chdir $name or die; $deep++ }
chdir "/sys/fs/cgroup" or die;
while ($wide < 3000 && mkdir "many$wide") { $wide++ }
print "$deep $wide"'`

func TestRealCgroupsOfAMachineAreLimitedAndDeleted(t *testing.T) {
	s := newFixture(t)
	m := s.machine(1)
	s.bootFully(m)
	out, err := s.inside(m.ID, plantCgroups)
	var deep, wide int
	if _, scan := fmt.Sscan(out, &deep, &wide); scan != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if deep > 16 || wide > 1000 {
		t.Errorf("root in the machine nested %d cgroups and made %d side by side", deep, wide)
	}
	for _, file := range []string{"cgroup.max.depth", "cgroup.max.descendants"} {
		if out, err := s.inside(m.ID, "echo max >/sys/fs/cgroup/"+file); err == nil {
			t.Errorf("root in the machine lifted %s: %s", file, out)
		}
	}
	for _, controller := range []string{"memory", "pids", "cpu", "freezer"} { // of version 1
		command := fmt.Sprintf("mount -t cgroup -o %s none /mnt && mkdir /mnt/own", controller)
		if out, err := s.inside(m.ID, command); err == nil {
			t.Errorf("root in the machine made a cgroup of the %s controller: %s", controller, out)
		}
	}
	if err := s.plane.Stop(t.Context(), m.ID, true); err != nil {
		t.Error(err)
	}
}

// A machine that an earlier build started has no limits.
func TestRealCgroupsWithoutLimitsAreDeleted(t *testing.T) {
	s := newFixture(t)
	m := s.machine(1)
	s.bootFully(m)
	for _, file := range []string{"cgroup.max.depth", "cgroup.max.descendants"} {
		path := filepath.Join(s.cgroup(m.ID), "machine", file)
		if err := os.WriteFile(path, []byte("max"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := s.inside(m.ID, plantCgroups); out != "100 3000" {
		t.Fatalf("%v: %s", err, out)
	}
	if err := s.plane.Remove(t.Context(), m.ID); err != nil {
		t.Error(err)
	}
}

// cgroup returns the directory of a machine's cgroup in the version 2 hierarchy.
func (s *fixture) cgroup(id string) string {
	s.Helper()
	for _, mount := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"} {
		dir := filepath.Join(mount, s.config.CgroupName, id)
		if _, err := os.Stat(filepath.Join(dir, "cgroup.events")); err == nil {
			return dir
		}
	}
	s.Fatalf("%s has no cgroup", id)
	return ""
}
