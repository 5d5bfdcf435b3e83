//go:build linux && root

package machine_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/disk"
)

// diskScript changes a machine's disk in every way that a layer must preserve: files, hard
// links, owners, modes, deleted files of the image, a replaced directory.
const diskScript = `set -e
echo captured >/srv/file; ln /srv/file /srv/link; chown admin /srv/file; chmod 4750 /srv/file
rm /etc/debian_version; rm -r /usr/share/perl5; mkdir /usr/share/perl5; echo own >/usr/share/perl5/own
mv /usr/share/git-core /usr/share/git-moved
systemctl enable --quiet systemd-tmpfiles-clean.timer 2>/dev/null || true
printf '[Unit]\n[Service]\nExecStart=sleep infinity\n[Install]\nWantedBy=multi-user.target\n' \
	>/etc/systemd/system/app.service
systemctl enable --quiet --now app.service
sync`

// diskContents maps commands to their output after diskScript.
var diskContents = map[string]string{
	"cat /srv/file /srv/link; stat -c '%h %U %a' /srv/file":          "captured\ncaptured\n2 admin 4750",
	"ls /etc/debian_version 2>/dev/null; ls /usr/share/perl5":        "own",
	"ls -d /usr/share/git-core 2>/dev/null; ls /usr/share/git-moved": "contrib\ntemplates",
	"systemctl is-active app.service":                                "active",
}

func TestRealCapturedLayerHasTheDiskWithoutTheIdentity(t *testing.T) {
	t.Run("with a reboot", func(t *testing.T) { testCapture(t, true) })
	t.Run("of a running machine", func(t *testing.T) { testCapture(t, false) })
}

func testCapture(t *testing.T, reboot bool) {
	s := newFixture(t)
	first, second := s.machine(1), s.machine(2)
	s.bootFully(first)
	s.mustRun(first.ID, "sh", "-c", diskScript)
	before := s.plane.Status(first.ID)
	start := time.Now()
	layer, err := s.plane.Capture(t.Context(), first.ID, s.images, reboot)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("captured in %v", time.Since(start))
	s.awaitSystem(first.ID)
	s.expectOutput(first.ID, diskContents)
	after := s.plane.Status(first.ID)
	if (after.Boots == before.Boots) == reboot || after.Launcher != before.Launcher {
		t.Errorf("before %+v\nafter %+v", before, after)
	}
	s.assertNoTraceOfTheHost(s.images.Path(layer))

	second.Layers = append(second.Layers, s.images.Path(layer))
	s.bootFully(second)
	s.expectOutput(second.ID, diskContents)
	hostname := second.Hostname + "\n" + second.Hostname
	s.expectOutput(second.ID, map[string]string{"hostname; cat /etc/hostname": hostname})
	s.assertDifferentIdentities(first.ID, second.ID)

	// The first machine still starts from its disk, also after another capture.
	if err := s.plane.Stop(t.Context(), first.ID, true); err != nil {
		t.Fatal(err)
	}
	again, err := s.plane.Capture(t.Context(), first.ID, s.images, true)
	if err != nil {
		t.Fatal(err)
	}
	s.bootFully(first)
	s.expectOutput(first.ID, diskContents)
	if err := s.plane.Remove(t.Context(), first.ID); err != nil {
		t.Fatal(err)
	}
	if err := s.images.Remove(t.Context(), again); err != nil {
		t.Error(err)
	}
	s.expectOutput(second.ID, diskContents)
}

// assertDifferentIdentities asserts that two machines share no machine-id and no host key.
func (s *fixture) assertDifferentIdentities(first, second string) {
	s.Helper()
	identity := "cat /etc/machine-id /etc/ssh/ssh_host_*_key.pub | cut -d' ' -f1-2"
	theirs := s.mustRun(second, "sh", "-c", identity)
	for line := range strings.Lines(s.mustRun(first, "sh", "-c", identity)) {
		if strings.Contains(theirs, line) {
			s.Errorf("shared between the machines: %s", line)
		}
	}
}

// assertNoTraceOfTheHost asserts that a layer has neither settings of the host nor device
// nodes.
func (s *fixture) assertNoTraceOfTheHost(layer string) {
	s.Helper()
	layer = filepath.Join(s.mountLayer(layer), "upper")
	if _, err := os.Lstat(filepath.Join(layer, "srv/file")); err != nil {
		s.Error(err)
	}
	for _, path := range []string{"dev/null", "run/aloft", "proc/1", "etc/resolv.conf", "etc/environment"} {
		if _, err := os.Lstat(filepath.Join(layer, path)); err == nil {
			s.Errorf("the layer has %s", path)
		}
	}
}

// untilFreezing is a context that ends when a machine begins to freeze, before it is frozen.
type untilFreezing struct {
	context.Context
	freeze string // the machine's cgroup.freeze
}

func (c untilFreezing) Err() error {
	if value, _ := os.ReadFile(c.freeze); strings.TrimSpace(string(value)) == "1" {
		return context.Canceled
	}
	return nil
}

func TestRealMachineRunsOnAfterAFreezeThatFailed(t *testing.T) {
	s := newFixture(t)
	m := s.machine(1)
	s.bootFully(m)
	freeze := filepath.Join(s.cgroup(m.ID), "machine", "cgroup.freeze")
	failed := false
	for range 20 { // a machine may be frozen before the capture looks at its context
		_, err := s.plane.Capture(untilFreezing{t.Context(), freeze}, m.ID, s.images, false)
		if failed = errors.Is(err, context.Canceled); failed {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if !failed {
		t.Fatal("no capture failed")
	}
	if value, err := os.ReadFile(freeze); strings.TrimSpace(string(value)) != "0" {
		t.Errorf("cgroup.freeze is %q, %v", value, err)
	}
	s.awaitSSH(m.ID)
}

// mountLayer mounts a captured layer until the test ends.
func (s *fixture) mountLayer(layer string) (dir string) {
	s.Helper()
	stage := s.TempDir()
	if err := unix.Mount("stage", stage, "tmpfs", 0, ""); err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = unix.Unmount(stage, unix.MNT_DETACH) })
	dir = filepath.Join(stage, "layer")
	if err := disk.Mount(layer, dir, true); err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			s.Error(err)
		}
	})
	return dir
}
