//go:build linux

// Package filetree deletes trees that root in a machine may have built: of any depth and
// width, with paths longer than the kernel accepts (PATH_MAX). It goes from directory to
// directory by descriptors and never follows a symbolic link. It keeps few directories open
// and remembers some bytes of each level.
package filetree

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// Remove deletes the file or the tree at path. It is no error if there is none. Mounts in
// the tree are left alone and are an error. If ctx ends, Remove stops half way, and another
// Remove continues.
func Remove(ctx context.Context, path string) error { return remove(ctx, path, removeFile) }

// RemoveDirs deletes a tree of directories whose files disappear with them, as those of a
// cgroup do. While a directory is busy it tries again after each interval, until ctx ends.
func RemoveDirs(ctx context.Context, path string, interval time.Duration) error {
	retry := time.NewTicker(interval)
	defer retry.Stop()
	for {
		err := remove(ctx, path, removeDir)
		if !errors.Is(err, unix.EBUSY) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", err, ctx.Err())
		case <-retry.C:
		}
	}
}

// A remover removes an entry of the directory with the descriptor dir. It returns errFull if
// the entry is a directory that has entries itself.
type remover func(dir int, name string) error

var errFull = errors.New("the directory has entries")

func removeFile(dir int, name string) error {
	err := unix.Unlinkat(dir, name, 0)
	if errors.Is(err, unix.EISDIR) {
		err = unix.Unlinkat(dir, name, unix.AT_REMOVEDIR)
	}
	if errors.Is(err, unix.ENOTEMPTY) || errors.Is(err, unix.EEXIST) { // rmdir(2) allows either
		return errFull
	}
	return err
}

// removeDir leaves files alone. The kernel reports a cgroup as busy if it has processes, and
// also if it has cgroups.
func removeDir(dir int, name string) error {
	err := unix.Unlinkat(dir, name, unix.AT_REMOVEDIR)
	if errors.Is(err, unix.ENOTDIR) {
		return nil
	}
	if errors.Is(err, unix.EBUSY) || errors.Is(err, unix.ENOTEMPTY) {
		return errFull
	}
	return err
}
