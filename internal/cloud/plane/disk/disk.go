//go:build linux

// Package disk keeps a machine's disk in one file of the host: a sparse image of an ext4
// filesystem. The filesystem limits what a machine can store, in bytes and in files, on any
// filesystem of the host. It also makes such a file a block device, whose content the host
// never interprets.
package disk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Command formats disks. It is part of Debian's essential package e2fsprogs.
const Command = "mkfs.ext4"

// Create creates the disk at path, of the given size in bytes. When Create returns, the disk
// is complete: an interrupted Create leaves none.
func Create(ctx context.Context, path string, size int64) error {
	if err := create(ctx, path, size); err != nil {
		return fmt.Errorf("create a disk of %d bytes: %w", size, err)
	}
	return nil
}

func create(ctx context.Context, path string, size int64) error {
	formatted, err := format(ctx, size)
	if err != nil {
		return err
	}
	defer func() { _ = formatted.Close() }()
	unfinished := path + ".new"
	if err := os.Remove(unfinished); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(unfinished, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(copySparse(f, formatted), f.Truncate(size), allocateJournal(f), f.Close()); err != nil {
		return err
	}
	return os.Rename(unfinished, path)
}

// format returns a file in memory with an empty filesystem. In memory, because mkfs.ext4 would
// wait for the host's disk.
func format(ctx context.Context, size int64) (*os.File, error) {
	fd, err := unix.MemfdCreate("disk", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("create a file in memory: %w", err)
	}
	f := os.NewFile(uintptr(fd), "disk")
	if err := f.Truncate(size); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	// Nobody in a machine can use blocks reserved for the host's root. What is zero in a new
	// file need not be written: tables of inodes, journal.
	mkfs := exec.CommandContext(ctx, Command, "-q", "-F", "-m", "0", "-J", "size="+journalMiB,
		"-b", strconv.Itoa(blockSize), "-E", "lazy_itable_init=1,lazy_journal_init=1,nodiscard", "/proc/self/fd/3")
	mkfs.ExtraFiles = []*os.File{f}
	if out, err := mkfs.CombinedOutput(); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w: %s", Command, err, out), f.Close())
	}
	return f, nil
}

// copySparse copies what from has, and leaves its holes out.
func copySparse(to, from *os.File) error {
	for end := int64(0); ; {
		start, err := unix.Seek(int(from.Fd()), end, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) { // only a hole is left (lseek(2))
			return nil
		}
		if err != nil {
			return fmt.Errorf("find the content: %w", err)
		}
		if end, err = unix.Seek(int(from.Fd()), start, unix.SEEK_HOLE); err != nil {
			return fmt.Errorf("find the content's end: %w", err)
		}
		piece := io.NewSectionReader(from, start, end-start)
		if _, err := io.Copy(io.NewOffsetWriter(to, start), piece); err != nil {
			return err
		}
	}
}

// Is reports whether there is a disk at path, and not a folder of files.
func Is(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode().IsRegular()
}

// Mount mounts the disk at target, in the mount namespace of the calling thread. The folder of
// target must allow device nodes, as a tmpfs does. The kernel releases the disk with its last
// mount.
//
// All mounts of a disk share its cached content, also if they are in different processes. A
// disk that was not unmounted, because the host lost power, recovers from its journal, even if
// it is mounted read-only.
func Mount(path, target string, readOnly bool) error {
	if err := mount(path, target, readOnly); err != nil {
		return fmt.Errorf("mount disk %s: %w", path, err)
	}
	return nil
}

func mount(path, target string, readOnly bool) error {
	// Two loop devices with the same file would be two filesystems to the kernel, each with
	// a cache of its own.
	return withFile(path, func(f *os.File) error { return mountFile(f, target, readOnly) })
}

func mountFile(f *os.File, target string, readOnly bool) error {
	node := target + ".device"
	device, err := attach(f, node, unix.LO_FLAGS_AUTOCLEAR)
	if err != nil {
		return err
	}
	defer func() { _ = device.Close(); _ = os.Remove(node) }() // the mount keeps the device
	if err := os.Mkdir(target, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	const safe = unix.MS_NODEV | unix.MS_NOSUID
	if !readOnly {
		return unix.Mount(node, target, "ext4", safe, writable)
	}
	err = unix.Mount(node, target, "ext4", safe|unix.MS_RDONLY, "")
	if !errors.Is(err, unix.EBUSY) {
		return err
	}
	// It is mounted as the disk that it was, before it became a layer. Another mount of the
	// same filesystem can be read-only nevertheless.
	if err := unix.Mount(node, target, "ext4", safe, writable); err != nil {
		return err
	}
	return unix.Mount("", target, "", unix.MS_REMOUNT|unix.MS_BIND|safe|unix.MS_RDONLY, "")
}

// writable are the options of a mount that can be written to. Files that are deleted free
// space on the host. The kernel writes nothing on its own account. After an error nothing more
// is damaged.
const writable = "discard,noinit_itable,errors=remount-ro"

// Ioctls of a mounted filesystem (linux/fs.h).
const (
	fiFreeze = 0xc0045877
	fiThaw   = 0xc0045878
)

// Flush brings the file of a disk that is mounted at target up to date: until the next change,
// a copy of the file is a disk with the same content.
func Flush(target string) error {
	// Freezing a filesystem writes everything in its journal to where it belongs.
	for _, request := range []uint{fiFreeze, fiThaw} {
		if err := control(target, request); err != nil {
			return fmt.Errorf("flush a disk: %w", err)
		}
	}
	return nil
}

// Thaw lets programs write to a disk that is mounted at target, if a Flush was interrupted.
func Thaw(target string) error {
	err := control(target, fiThaw)
	if err != nil && !errors.Is(err, unix.EINVAL) { // it is not frozen (ioctl_fsfreeze(2))
		return fmt.Errorf("thaw a disk: %w", err)
	}
	return nil
}

// control sends a request to the filesystem that is mounted at target.
func control(target string, request uint) error {
	f, err := os.Open(target)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	return unix.IoctlSetInt(int(f.Fd()), request, 0)
}

// HasErrors reports whether the disk at path is mounted and its filesystem has ever had an
// error (kernel documentation, filesystems/ext4, "/sys entries").
func HasErrors(path string) bool {
	numbers, err := attachedTo(path)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(numbers, func(number int) bool {
		errors, err := os.ReadFile(fmt.Sprintf("/sys/fs/ext4/loop%d/errors_count", number))
		return err == nil && strings.TrimSpace(string(errors)) != "0"
	})
}
