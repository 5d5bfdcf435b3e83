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

// inNamespace runs do on a thread in the network namespace at path. Sockets that do
// makes stay there.
func inNamespace(path string, do func() error) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open network namespace: %w", err)
	}
	defer func() { _ = file.Close() }()
	return thread.RunDisposable(func() error {
		if err := unix.Setns(int(file.Fd()), unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("enter network namespace %s: %w", path, err)
		}
		return do()
	})
}

// namespaceID tells one network namespace from another, as long as both live.
type namespaceID struct{ device, inode uint64 }

// statNamespace looks at the namespace at path; it fails with fs.ErrNotExist if
// there is none.
func statNamespace(path string) (namespaceID, error) {
	var file unix.Statfs_t
	if err := unix.Statfs(path, &file); err != nil {
		return namespaceID{}, &fs.PathError{Op: "look at network namespace", Path: path, Err: err}
	}
	if file.Type != unix.NSFS_MAGIC {
		return namespaceID{}, &fs.PathError{Op: "look at network namespace", Path: path, Err: fs.ErrNotExist}
	}
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return namespaceID{}, &fs.PathError{Op: "look at network namespace", Path: path, Err: err}
	}
	return namespaceID{uint64(st.Dev), st.Ino}, nil
}

// pin makes a network namespace that lives at path until unpin, whatever becomes
// of this process. One that is there already stays.
func pin(path string) error {
	if _, err := statNamespace(path); err == nil {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
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
			return fmt.Errorf("make a network namespace: %w", err)
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

// unpin lets go of the namespace at path, which then ends with the last socket
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

// sysctl is one file below /proc/sys/net.
type sysctl struct{ name, value string }

// writeSysctls writes settings of the calling thread's network namespace.
func writeSysctls(settings []sysctl) error {
	for _, s := range settings {
		if err := os.WriteFile("/proc/sys/net/"+s.name, []byte(s.value), 0); err != nil {
			return fmt.Errorf("set net/%s to %s: %w", s.name, s.value, err)
		}
	}
	return nil
}
