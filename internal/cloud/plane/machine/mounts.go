//go:build linux

package machine

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Magic numbers of filesystems (statfs(2)).
const (
	overlayMagic = 0x794c7630
	nsfsMagic    = 0x6e736673
)

// mountedAs reports whether path is on a filesystem with the given magic number.
func mountedAs(path string, magic int64) bool {
	var s unix.Statfs_t
	return unix.Statfs(path, &s) == nil && int64(s.Type) == magic
}

// isReadOnly reports whether nothing can be written to the filesystem at dir, by a change that
// changes nothing: the flags of a mount do not show that its filesystem failed.
func isReadOnly(dir string) bool {
	info, err := os.Stat(dir)
	return err == nil && errors.Is(os.Chmod(dir, info.Mode()), unix.EROFS)
}

// enterPrivateMounts moves the calling thread to a new mount namespace, whose mounts no
// other namespace sees. The thread must be disposable (thread.RunDisposable).
func enterPrivateMounts() error {
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("unshare mounts: %w", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	return nil
}

// pinNamespace binds the namespace in file to path, which keeps it alive.
func pinNamespace(file, path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDONLY, 0o600)
	if err != nil {
		return fmt.Errorf("pin a namespace: %w", err)
	}
	_ = f.Close()
	if err := unix.Mount(file, path, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("pin %s at %s: %w", file, path, err)
	}
	return nil
}

// unmount removes all mounts at path, if any.
func unmount(path string) error {
	for {
		err := unix.Unmount(path, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW)
		if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOENT) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("unmount %s: %w", path, err)
		}
	}
}

// makePrivate makes dir a mount point, unless it is one, whose mounts do not propagate to
// other namespaces.
func makePrivate(dir string) error {
	mounted, err := isMount(dir)
	if err != nil {
		return err
	}
	if !mounted {
		if err := unix.Mount(dir, dir, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("bind %s: %w", dir, err)
		}
	}
	if err := unix.Mount("", dir, "", unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make the mounts in %s private: %w", dir, err)
	}
	return nil
}

// isMount reports whether path is the root of a mount (statx(2), STATX_ATTR_MOUNT_ROOT).
func isMount(path string) (bool, error) {
	var s unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, path, unix.AT_SYMLINK_NOFOLLOW, unix.STATX_BASIC_STATS, &s); err != nil {
		return false, fmt.Errorf("stat %s: %w", path, err)
	}
	return s.Attributes&unix.STATX_ATTR_MOUNT_ROOT != 0, nil
}
