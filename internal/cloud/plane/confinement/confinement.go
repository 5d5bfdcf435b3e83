//go:build linux

// Package confinement takes from a process what it does not need.
package confinement

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Confinement describes the rights that a process keeps.
type Confinement struct {
	User     int      // user and group, which belong to no one else
	Root     string   // an empty folder, which becomes the process's root directory
	Folder   string   // of files that stay writable, at the same path; empty: none
	Calls    []uint32 // system calls beside those that Go's runtime needs
	Families []uint32 // of new sockets: unix.AF_INET …
}

// Enter gives up everything else, for good and for all threads: other files, the user root, all
// capabilities, and other system calls, which fail with EPERM. A process that was not started
// by root has nothing to give up but system calls. The process must have a mount namespace of
// its own.
func (c Confinement) Enter() error {
	_ = time.Now().Local().Format(time.RFC3339) // load the time zone, whose file will be gone
	if os.Geteuid() == 0 {
		if err := enterRoot(c.Root, c.Folder); err != nil {
			return err
		}
		if err := syscall.Setgroups(nil); err != nil {
			return os.NewSyscallError("setgroups", err)
		}
		if err := syscall.Setresgid(c.User, c.User, c.User); err != nil {
			return os.NewSyscallError("setresgid", err)
		}
		if err := syscall.Setresuid(c.User, c.User, c.User); err != nil { // this drops all capabilities
			return os.NewSyscallError("setresuid", err)
		}
	}
	return filterSystemCalls(systemCallFilter(c.Calls, c.Families))
}

// enterRoot makes an empty folder the process's root directory, which is read-only but for the
// other folder.
func enterRoot(root, folder string) error {
	const strict = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return os.NewSyscallError("mount", err)
	}
	if err := unix.Mount("tmpfs", root, "tmpfs", strict, "mode=755,size=64k"); err != nil {
		return fmt.Errorf("mount %s: %w", root, err)
	}
	if folder != "" {
		inside := filepath.Join(root, folder)
		if err := os.MkdirAll(inside, 0o755); err != nil { //nolint:gosec // on the way to the folder
			return err
		}
		if err := unix.Mount(folder, inside, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("mount %s: %w", inside, err)
		}
		if err := unix.Mount("", inside, "", unix.MS_BIND|unix.MS_REMOUNT|strict, ""); err != nil {
			return fmt.Errorf("mount %s: %w", inside, err)
		}
	}
	if err := unix.Mount("", root, "", unix.MS_REMOUNT|unix.MS_RDONLY|strict, ""); err != nil {
		return fmt.Errorf("mount %s: %w", root, err)
	}
	if err := unix.Chdir(root); err != nil {
		return os.NewSyscallError("chdir", err)
	}
	// This mounts the old root on top of the new one, from where it is unmounted
	// (pivot_root(2), "pivot_root(\".\", \".\")").
	if err := unix.PivotRoot(".", "."); err != nil {
		return os.NewSyscallError("pivot_root", err)
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return os.NewSyscallError("umount", err)
	}
	return os.NewSyscallError("chdir", unix.Chdir("/"))
}

// filterSystemCalls installs a filter for all threads of the process and those that will
// follow (seccomp(2), prctl(2): PR_SET_NO_NEW_PRIVS).
func filterSystemCalls(filter []unix.SockFilter) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return os.NewSyscallError("prctl", err)
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	thread, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC,
		uintptr(unsafe.Pointer(&program)))
	if errno != 0 {
		return os.NewSyscallError("seccomp", errno)
	}
	if thread != 0 {
		return fmt.Errorf("seccomp: thread %d cannot be filtered", thread)
	}
	return nil
}
