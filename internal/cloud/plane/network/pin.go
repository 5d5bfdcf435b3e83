//go:build linux

package network

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/thread"
)

// namespaceID identifies a network namespace among those that exist now. The kernel
// reuses inode numbers.
type namespaceID struct{ device, inode uint64 }

// statNamespace returns the ID of the namespace at path. The error is
// fs.ErrNotExist when path is missing or is no network namespace.
func statNamespace(path string) (namespaceID, error) {
	var file unix.Statfs_t
	if err := unix.Statfs(path, &file); err != nil {
		return namespaceID{}, &fs.PathError{Op: "stat network namespace", Path: path, Err: err}
	}
	if file.Type != unix.NSFS_MAGIC {
		return namespaceID{}, &fs.PathError{Op: "stat network namespace", Path: path, Err: fs.ErrNotExist}
	}
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return namespaceID{}, &fs.PathError{Op: "stat network namespace", Path: path, Err: err}
	}
	return namespaceID{uint64(st.Dev), st.Ino}, nil
}

// pin creates a network namespace and bind-mounts it at path, which keeps it alive
// until unpin even if this process exits. An existing namespace stays.
func pin(path string) error {
	if _, err := statNamespace(path); err == nil {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("pin network namespace: %w", err)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDONLY, 0o444)
	if err != nil {
		return fmt.Errorf("pin network namespace: %w", err)
	}
	if err := file.Close(); err != nil {
		return fmt.Errorf("pin network namespace: %w", err)
	}
	err = thread.RunDisposable(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("create network namespace: %w", err)
		}
		if err := unix.Mount("/proc/thread-self/ns/net", path, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("pin network namespace at %s: %w", path, err)
		}
		return nil
	})
	if err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

// unpin unmounts the namespace at path. The kernel destroys it with the last socket
// or process in it.
func unpin(path string) error {
	err := unix.Unmount(path, unix.MNT_DETACH)
	if err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("unpin network namespace %s: %w", path, err)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("unpin network namespace: %w", err)
	}
	return nil
}
