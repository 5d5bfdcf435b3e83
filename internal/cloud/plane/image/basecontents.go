//go:build linux

package image

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// packages are installed in base images in addition to the distribution's essential ones.
var packages = []string{
	"ca-certificates", "curl", "dbus", "git", "iproute2", "iputils-ping", "less", "nano", "netbase",
	"openssh-server", "procps", "sudo", "systemd", "systemd-sysv",
}

// files are the files that base images have in addition to those of their packages.
//
//go:embed files
var files embed.FS

// links are symbolic links of the base image. Settings of the host are written below /run
// at every boot, so that no image contains them.
var links = map[string]string{
	"etc/environment":                     "/run/aloft/environment",
	"etc/resolv.conf":                     "/run/aloft/resolv.conf",
	"etc/apt/apt.conf.d/90-aloft-machine": "/run/aloft/apt.conf",
	wantedUnit("aloft-init.service"):      "/usr/lib/systemd/system/aloft-init.service",
}

// wantedUnit returns the path of the link that makes systemd start a unit at boot.
func wantedUnit(unit string) string { return "etc/systemd/system/multi-user.target.wants/" + unit }

// maskedUnits are systemd units that cannot work, or have no use, in a machine without
// devices.
var maskedUnits = []string{
	"apt-daily.timer", "apt-daily-upgrade.timer", "console-getty.service", "dev-hugepages.mount",
	"dpkg-db-backup.timer", "e2scrub_all.timer", "e2scrub_reap.service", "fstrim.timer", "getty.target",
	"getty-static.service", "kmod-static-nodes.service", "modprobe@.service",
	"proc-sys-fs-binfmt_misc.automount", "sys-fs-fuse-connections.mount", "sys-kernel-config.mount",
	"sys-kernel-debug.mount", "sys-kernel-tracing.mount", "systemd-binfmt.service",
	"systemd-firstboot.service", "systemd-hwdb-update.service", "systemd-modules-load.service",
	"systemd-random-seed.service", "systemd-remount-fs.service", "systemd-sysctl.service",
	"systemd-udevd.service", "systemd-udev-trigger.service", "systemd-update-utmp.service",
	"systemd-update-utmp-runlevel.service",
}

// removedFiles are files of packages that the base image must not have: identities that
// each machine creates for itself, and links that start at boot what D-Bus starts on demand.
var removedFiles = []string{
	"etc/machine-id", "var/lib/dbus/machine-id", "etc/hostname",
	"usr/lib/systemd/system/multi-user.target.wants/dbus.service",
	"usr/lib/systemd/system/multi-user.target.wants/systemd-logind.service",
}

// configureBase turns a fresh installation at root into the base image b. It may run again on its
// own result.
func configureBase(root string, b base) error {
	for _, path := range removedFiles {
		if err := os.Remove(filepath.Join(root, path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove from the image: %w", err)
		}
	}
	if err := installFiles(root, b); err != nil {
		return err
	}
	for path, target := range links {
		if err := replaceLink(root, path, target); err != nil {
			return err
		}
	}
	for _, unit := range maskedUnits {
		if err := replaceLink(root, "etc/systemd/system/"+unit, "/dev/null"); err != nil {
			return err
		}
	}
	return nil
}

// replaceLink creates a symbolic link at path in the image, in place of what is there.
func replaceLink(root, path, target string) error {
	path = filepath.Join(root, path)
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("link in the image: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("link in the image: %w", err)
	}
	if err := os.Symlink(target, path); err != nil {
		return fmt.Errorf("link in the image: %w", err)
	}
	return nil
}

// installFiles writes the embedded files and those of the base into the image.
func installFiles(root string, b base) error {
	for path, content := range b.ownFiles() {
		if err := installFile(root, path, []byte(content)); err != nil {
			return err
		}
	}
	return fs.WalkDir(files, "files", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := files.ReadFile(path)
		if err != nil {
			return fmt.Errorf("install into the image: %w", err)
		}
		return installFile(root, strings.TrimPrefix(path, "files/"), content)
	})
}

// installFile writes a file into the image. Those below usr/lib/aloft are executable, and
// sudo requires that its own file is not world-readable.
func installFile(root, path string, content []byte) error {
	mode := fs.FileMode(0o644)
	switch {
	case strings.HasPrefix(path, "usr/lib/aloft/"):
		mode = 0o755
	case strings.HasPrefix(path, "etc/sudoers.d/"):
		mode = 0o440
	}
	target := filepath.Join(root, path)
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return fmt.Errorf("install into the image: %w", err)
	}
	if err := os.WriteFile(target, content, mode); err != nil {
		return fmt.Errorf("install into the image: %w", err)
	}
	return os.Chmod(target, mode)
}
