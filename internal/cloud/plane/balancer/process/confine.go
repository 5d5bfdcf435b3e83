//go:build linux

package process

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

// workerID is the user and group of the balancer process. Like the ids of machines, which
// begin after it, it belongs to nobody.
const workerID = 0x0fffffff

// rootPath returns the folder that becomes the process's root directory.
func rootPath(dir string) string { return filepath.Join(dir, "root") }

// confine gives up everything that the balancer process does not need: files other than the
// access logs, the user root, all capabilities, and most system calls. A process that was not
// started by root has nothing to give up but system calls.
func confine(logs, dir string) error {
	_ = time.Now().Local().Format(time.RFC3339) // load the time zone, whose file will be gone
	if os.Geteuid() == 0 {
		if err := enterRoot(rootPath(dir), logs); err != nil {
			return err
		}
		if err := syscall.Setgroups(nil); err != nil {
			return os.NewSyscallError("setgroups", err)
		}
		if err := syscall.Setresgid(workerID, workerID, workerID); err != nil {
			return os.NewSyscallError("setresgid", err)
		}
		if err := syscall.Setresuid(workerID, workerID, workerID); err != nil { // this drops all capabilities
			return os.NewSyscallError("setresuid", err)
		}
	}
	return filterSystemCalls()
}

// enterRoot makes an empty folder the process's root directory. It has nothing but the
// folder of access logs, at the same path. The keeper has given the process a mount
// namespace of its own.
func enterRoot(root, logs string) error {
	const strict = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return os.NewSyscallError("mount", err)
	}
	if err := unix.Mount("tmpfs", root, "tmpfs", strict, "mode=755,size=64k"); err != nil {
		return fmt.Errorf("mount %s: %w", root, err)
	}
	if logs != "" {
		inside := filepath.Join(root, logs)
		if err := os.MkdirAll(inside, 0o755); err != nil { //nolint:gosec // on the way to the logs
			return err
		}
		if err := unix.Mount(logs, inside, "", unix.MS_BIND, ""); err != nil {
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

// filterSystemCalls limits all threads of the process, and those that will follow, to the
// system calls that a balancer needs, for good (seccomp(2), prctl(2): PR_SET_NO_NEW_PRIVS).
func filterSystemCalls() error {
	filter := systemCallFilter()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return os.NewSyscallError("prctl", err)
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]} //nolint:gosec // far fewer than 65536
	thread, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC,
		uintptr(unsafe.Pointer(&program))) //nolint:gosec // the call keeps no pointer
	if errno != 0 {
		return os.NewSyscallError("seccomp", errno)
	}
	if thread != 0 {
		return fmt.Errorf("seccomp: thread %d cannot be filtered", thread)
	}
	return nil
}
