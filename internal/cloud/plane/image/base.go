package image

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Debian12 is the name of the base image that can be built.
const Debian12 = "debian-12"

// ErrNoBase tells that a base image of that name cannot be built.
var ErrNoBase = errors.New("there is no such base image")

// packages of the base image beside Debian's essential ones.
var packages = []string{
	"ca-certificates", "curl", "dbus", "git", "iproute2", "iputils-ping", "less", "nano", "netbase",
	"openssh-server", "procps", "sudo", "systemd", "systemd-sysv",
}

// debianFiles are the files that the base image has beside those of its packages.
//
//go:embed debian
var debianFiles embed.FS

// links are symbolic links of the base image. Settings of the host, which are given
// at every start, lie below /run: no image takes them along. Units that make no
// sense or no use in a machine without devices are masked.
var links = map[string]string{
	"etc/environment":                     "/run/aloft/environment",
	"etc/resolv.conf":                     "/run/aloft/resolv.conf",
	"etc/apt/apt.conf.d/90-aloft-machine": "/run/aloft/apt.conf",
	"etc/systemd/system/multi-user.target.wants/aloft-init.service":      "/usr/lib/systemd/system/aloft-init.service",
	"etc/systemd/system/multi-user.target.wants/aloft-user-data.service": "/usr/lib/systemd/system/aloft-user-data.service",
}

var maskedUnits = []string{
	"apt-daily.timer", "apt-daily-upgrade.timer", "console-getty.service", "dev-hugepages.mount", "dpkg-db-backup.timer",
	"e2scrub_all.timer", "e2scrub_reap.service", "fstrim.timer", "getty.target", "getty-static.service", "kmod-static-nodes.service",
	"modprobe@.service", "proc-sys-fs-binfmt_misc.automount", "sys-fs-fuse-connections.mount", "sys-kernel-config.mount",
	"sys-kernel-debug.mount", "sys-kernel-tracing.mount", "systemd-binfmt.service", "systemd-firstboot.service", "systemd-hwdb-update.service",
	"systemd-modules-load.service", "systemd-random-seed.service", "systemd-remount-fs.service", "systemd-sysctl.service",
	"systemd-udevd.service", "systemd-udev-trigger.service", "systemd-update-utmp.service", "systemd-update-utmp-runlevel.service",
}

// removedFiles are files of packages that a machine is better without. Services that
// are reached over D-Bus start when they are asked for.
var removedFiles = []string{
	"etc/machine-id", "var/lib/dbus/machine-id", "etc/hostname",
	"usr/lib/systemd/system/multi-user.target.wants/dbus.service",
	"usr/lib/systemd/system/multi-user.target.wants/systemd-logind.service",
}

// EnsureBase returns the id of the layer of a base image, and builds it when it is
// not there yet: that downloads about 80 MB and takes half a minute. progress is
// told what is being done, and how much of the whole is behind. Only one builds at
// a time on a store; others wait for it.
func (s *Store) EnsureBase(
	ctx context.Context,
	name string,
	progress func(stage string, fraction float64),
) (layer string, err error) {
	if name != Debian12 {
		return "", fmt.Errorf("base image %q: %w", name, ErrNoBase)
	}
	digest, err := recipeDigest()
	if err != nil {
		return "", fmt.Errorf("base image %s: %w", name, err)
	}
	layer = name + "-" + digest
	if s.Has(layer) {
		return layer, nil
	}
	unlock, err := lockFile(ctx, filepath.Join(s.dir, "building"))
	if err != nil {
		return "", fmt.Errorf("base image %s: %w", name, err)
	}
	defer unlock()
	if s.Has(layer) {
		return layer, nil
	}
	dir := filepath.Join(s.newDirs(), layer) // the same each time: what was left half done is replaced
	if err := os.RemoveAll(dir); err != nil {
		return "", fmt.Errorf("base image %s: %w", name, err)
	}
	if err := s.build(ctx, dir, layer, progress); err != nil {
		_ = os.RemoveAll(dir)
		return "", fmt.Errorf("base image %s: %w", name, err)
	}
	return layer, nil
}

func (s *Store) build(ctx context.Context, dir, layer string, progress func(string, float64)) error {
	if err := runMmdebstrap(ctx, dir, progress); err != nil {
		return err
	}
	progress("configure the image", 0.97)
	if err := configureBase(dir); err != nil {
		return err
	}
	return s.Commit(ctx, dir, layer)
}

// configureBase adds to a fresh Debian what makes it an image for machines.
func configureBase(root string) error {
	for _, path := range removedFiles {
		if err := os.Remove(filepath.Join(root, path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove from the image: %w", err)
		}
	}
	if err := installFiles(root); err != nil {
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

// installFiles copies the embedded files into the image. What is below usr/lib/aloft is
// executable; sudo wants its own file closed.
func installFiles(root string) error {
	return fs.WalkDir(debianFiles, "debian", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := debianFiles.ReadFile(path)
		if err != nil {
			return fmt.Errorf("install into the image: %w", err)
		}
		mode := fs.FileMode(0o644)
		switch {
		case strings.Contains(path, "usr/lib/aloft/"):
			mode = 0o755
		case strings.Contains(path, "sudoers.d/"):
			mode = 0o440
		}
		target := filepath.Join(root, strings.TrimPrefix(path, "debian/"))
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return fmt.Errorf("install into the image: %w", err)
		}
		if err := os.WriteFile(target, content, mode); err != nil {
			return fmt.Errorf("install into the image: %w", err)
		}
		return os.Chmod(target, mode)
	})
}

// recipeDigest is a digest of all that decides what the base image contains, so that
// another recipe gives another layer.
func recipeDigest() (string, error) {
	h := sha256.New()
	_, _ = fmt.Fprintln(h, packages, maskedUnits, removedFiles, len(links), exclusionsHook, customizeHook)
	for _, path := range slices.Sorted(func(yield func(string) bool) {
		for path, target := range links {
			if !yield(path + "\n" + target) {
				return
			}
		}
	}) {
		_, _ = fmt.Fprintln(h, path)
	}
	err := fs.WalkDir(debianFiles, "debian", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := debianFiles.ReadFile(path)
		_, _ = fmt.Fprintf(h, "%s %d\n%s", path, len(content), content)
		return err
	})
	return hex.EncodeToString(h.Sum(nil))[:10], err
}

// lockFile takes the lock file at path, once nobody else has it.
func lockFile(ctx context.Context, path string) (func(), error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("wait for another builder: %w", err)
	}
	taken := make(chan error, 1)
	go func() { taken <- unix.Flock(int(f.Fd()), unix.LOCK_EX) }()
	select {
	case err := <-taken:
		if err != nil {
			_ = f.Close()
			return nil, fmt.Errorf("wait for another builder: %w", err)
		}
		return func() { _ = f.Close() }, nil
	case <-ctx.Done():
		// flock cannot be interrupted: whoever waits lets go when it has the lock.
		go func() { _ = <-taken; _ = f.Close() }()
		return nil, fmt.Errorf("wait for another builder: %w", ctx.Err())
	}
}
