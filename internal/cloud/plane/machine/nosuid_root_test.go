//go:build linux && root

package machine_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A local user of the host who could reach a machine's files would become a user of the machine
// by a set-user-ID program there.
func TestRealSetUserIDProgramsWorkInTheMachineOnly(t *testing.T) {
	s := newFixture(t)
	m := s.machine(1)
	s.bootFully(m)
	check := func(when string) {
		t.Helper()
		if out, err := s.run(m.ID, "runuser", "-u", "admin", "--", "sudo", "-n", "id", "-u"); out != "0" {
			t.Errorf("sudo in the machine %s: %q, %v", when, out, err)
		}
		s.mustRun(m.ID, "install", "-m", "4755", "/usr/bin/id", "/srv/id")
		run := filepath.Join(s.config.RunDir, m.ID)
		if err := os.Chmod(run, 0o711); err != nil { // otherwise nobody gets this far
			t.Fatal(err)
		}
		id := exec.Command(filepath.Join(run, "root/srv/id"), "-u")
		id.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		if out, err := id.CombinedOutput(); strings.TrimSpace(string(out)) != "65534" {
			t.Errorf("a local user of the host is user %q by a program of the machine %s, %v", out, when, err)
		}
		mounts, err := os.ReadFile("/proc/self/mountinfo")
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(mounts)) {
			if !strings.Contains(line, run+"/root ") {
				continue
			}
			if !strings.Contains(line, "nosuid") || !strings.Contains(line, "nodev") {
				t.Errorf("%s on the host: %s", when, line)
			}
		}
	}
	check("after its start")
	if err := s.plane.Reboot(t.Context(), m.ID); err != nil {
		t.Fatal(err)
	}
	s.awaitSystem(m.ID)
	check("after a reboot")
	if _, err := s.plane.Capture(t.Context(), m.ID, s.images, true); err != nil {
		t.Fatal(err)
	}
	s.awaitSystem(m.ID)
	check("after a capture")
}

// A launcher keeps no mount of another machine in use.
func TestRealLauncherHasItsOwnMachineMountedOnly(t *testing.T) {
	s := newFixture(t)
	for n := 1; n <= 2; n++ {
		m := s.machine(n)
		s.launch(m, metadataOf(m))
	}
	for n := 1; n <= 2; n++ {
		mounts, err := os.ReadFile(fmt.Sprintf("/proc/%d/mountinfo", s.plane.Status(s.machine(n).ID).Launcher))
		if err != nil {
			t.Fatal(err)
		}
		own := filepath.Join(s.config.RunDir, s.machine(n).ID)
		for path, want := range map[string]int{s.config.RunDir + "/": 2, own + "/root ": 1, own + "/devices ": 1} {
			if count := strings.Count(string(mounts), path); count != want {
				t.Errorf("the launcher of machine %d has %d mounts at %s:\n%s", n, count, path, mounts)
			}
		}
	}
}
