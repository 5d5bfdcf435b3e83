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
	"ca-certificates", "curl", "dbus", "e2fsprogs", "fuse2fs", "git", "iproute2", "iputils-ping", "jq", "less",
	"libatomic1", "nano", "netbase", "openssh-server", "procps", "sudo", "systemd", "systemd-sysv",
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
	"etc/systemd/system/local-fs.target.wants/aloft-volumes.service": "/usr/lib/systemd/system/aloft-volumes.service",
	"usr/local/bin/cloud-init":                                       "/usr/lib/aloft/cloud-init",
	"usr/sbin/mount.ext2":                                            "/usr/lib/aloft/mount.ext4",
	"usr/sbin/mount.ext3":                                            "/usr/lib/aloft/mount.ext4",
	"usr/sbin/mount.ext4":                                            "/usr/lib/aloft/mount.ext4",
	"usr/sbin/umount.fuse":                                           "/usr/lib/aloft/umount.fuse",
	"usr/sbin/umount.fuse.ext4":                                      "/usr/lib/aloft/umount.fuse",
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

// configureBase turns a fresh installation at dir into the base image b. It may run again on
// its own result.
func configureBase(dir string, b base) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("configure the image: %w", err)
	}
	defer func() { _ = root.Close() }()
	for path, content := range b.ownFiles() {
		if err := installFile(root, path, []byte(content)); err != nil {
			return err
		}
	}
	return configureRoot(root, maskedUnits, func(string) bool { return true })
}

// configureRoot gives an image what its machines need at boot: it removes identities,
// installs the files and links whose paths wanted accepts, and masks units. The image may
// come from anybody, so that nothing here follows a link out of it.
func configureRoot(root *os.Root, masked []string, wanted func(path string) bool) error {
	for _, path := range removedFiles {
		if err := root.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove from the image: %w", err)
		}
	}
	if err := installFiles(root, wanted); err != nil {
		return err
	}
	for path, target := range links {
		if !wanted(path) {
			continue
		}
		if err := replaceLink(root, path, target); err != nil {
			return err
		}
	}
	for _, unit := range masked {
		if err := replaceLink(root, "etc/systemd/system/"+unit, "/dev/null"); err != nil {
			return err
		}
	}
	return nil
}

// replaceLink creates a symbolic link at path in the image, in place of what is there.
func replaceLink(root *os.Root, path, target string) error {
	if err := root.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("link in the image: %w", err)
	}
	if err := root.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("link in the image: %w", err)
	}
	if err := root.Symlink(target, path); err != nil {
		return fmt.Errorf("link in the image: %w", err)
	}
	return nil
}

// installFiles writes the embedded files whose paths wanted accepts into the image.
func installFiles(root *os.Root, wanted func(path string) bool) error {
	return fs.WalkDir(files, "files", func(name string, entry fs.DirEntry, err error) error {
		path := strings.TrimPrefix(name, "files/")
		if err != nil || entry.IsDir() || !wanted(path) {
			return err
		}
		content, err := files.ReadFile(name)
		if err != nil {
			return fmt.Errorf("install into the image: %w", err)
		}
		return installFile(root, path, content)
	})
}

// installFile writes a file into the image, in place of what is there. Programs below
// usr/lib/aloft are executable, and sudo requires that its own file is not world-readable.
func installFile(root *os.Root, path string, content []byte) error {
	mode := fs.FileMode(0o644)
	switch {
	case strings.HasPrefix(path, "usr/lib/aloft/") && path != loginUserFile:
		mode = 0o755
	case strings.HasPrefix(path, "etc/sudoers.d/"):
		mode = 0o440
	}
	if err := root.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("install into the image: %w", err)
	}
	if err := root.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("install into the image: %w", err)
	}
	if err := root.WriteFile(path, content, mode); err != nil {
		return fmt.Errorf("install into the image: %w", err)
	}
	return root.Chmod(path, mode)
}
