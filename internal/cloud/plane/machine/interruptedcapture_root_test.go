//go:build linux && root

package machine_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/disk"
	"aloft.dev/aloft/internal/cloud/plane/image"
	"aloft.dev/aloft/internal/cloud/plane/machine"
)

const captureArgument = "aloft-test-capture"

// captureAndHang captures a machine in a process of its own.
func captureAndHang(args []string) int {
	images, err := image.Open(args[3])
	if err == nil {
		var plane *machine.Plane
		plane, err = machine.New(machine.Config{
			Dir: args[0], RunDir: args[1], CgroupName: args[2], Images: images, Log: slog.Default(),
		})
		if err == nil {
			_, err = plane.Capture(context.Background(), args[4], images, false)
		}
	}
	_, _ = fmt.Fprintln(os.Stderr, err)
	return 1
}

// A daemon that is killed while it copies a machine's disk leaves the machine frozen.
func TestRealMachineRunsOnAfterItsCaptureWasKilled(t *testing.T) {
	s := newFixture(t)
	m := s.machine(1)
	s.bootFully(m)
	bin := t.TempDir()
	copying := filepath.Join(bin, "copying")
	cp := fmt.Sprintf("#!/bin/sh\ntouch %s\nexec sleep 1000\n", copying)
	if err := os.WriteFile(filepath.Join(bin, "cp"), []byte(cp), 0o700); err != nil {
		t.Fatal(err)
	}
	capture := exec.Command(os.Args[0], captureArgument, s.config.Dir, s.config.RunDir, s.config.CgroupName,
		filepath.Join(filepath.Dir(s.config.Dir), "images"), m.ID)
	capture.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"))
	capture.Stderr = t.Output()
	capture.SysProcAttr = &unix.SysProcAttr{Setpgid: true}
	if err := capture.Start(); err != nil {
		t.Fatal(err)
	}
	s.eventually("the disk is copied", time.Minute, func() bool {
		_, err := os.Stat(copying)
		return err == nil
	})
	if err := unix.Kill(-capture.Process.Pid, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = capture.Wait()
	s.freezeDisk(m.ID) // as if it had been killed a moment earlier
	if value := s.frozen(m.ID); value != "1" {
		t.Fatalf("cgroup.freeze is %q after the kill", value)
	}
	s.plane = s.reopen()
	if value := s.frozen(m.ID); value != "0" {
		t.Fatalf("cgroup.freeze is %q in the next daemon", value)
	}
	s.mustRun(m.ID, "sh", "-c", "echo written >/srv/file && sync /srv/file")
	if _, err := s.plane.Capture(t.Context(), m.ID, s.images, false); err != nil {
		t.Error(err)
	}
	if value := s.frozen(m.ID); value != "0" {
		t.Errorf("cgroup.freeze is %q after the next capture", value)
	}
}

// frozen returns the content of the machine's cgroup.freeze.
func (s *fixture) frozen(id string) string {
	s.Helper()
	value, err := os.ReadFile(filepath.Join(s.cgroup(id), "machine", "cgroup.freeze"))
	if err != nil {
		s.Fatal(err)
	}
	return string(value[:1])
}

// freezeDisk freezes the filesystem of the machine's disk, until the test ends at the latest:
// who uses a frozen filesystem cannot even be killed.
func (s *fixture) freezeDisk(id string) {
	s.Helper()
	s.withDisk(id, func(mounted string) {
		if out, err := exec.Command("fsfreeze", "--freeze", mounted).CombinedOutput(); err != nil {
			s.Fatalf("%v: %s", err, out)
		}
	})
	s.Cleanup(func() {
		s.withDisk(id, func(mounted string) {
			if err := disk.Thaw(mounted); err != nil {
				s.Error(err)
			}
		})
	})
}

// withDisk calls do with the folder at which the machine's disk is mounted once more.
func (s *fixture) withDisk(id string, do func(mounted string)) {
	s.Helper()
	stage := s.TempDir()
	if err := unix.Mount("stage", stage, "tmpfs", 0, ""); err != nil {
		s.Fatal(err)
	}
	defer func() { _ = unix.Unmount(stage, unix.MNT_DETACH) }()
	mounted := filepath.Join(stage, "disk")
	if err := disk.Mount(filepath.Join(s.config.Dir, id, "disk.ext4"), mounted, false); err != nil {
		s.Fatal(err)
	}
	defer func() { _ = unix.Unmount(mounted, 0) }()
	do(mounted)
}
