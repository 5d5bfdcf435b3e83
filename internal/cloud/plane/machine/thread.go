package machine

import (
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"
)

// onThread runs do on a thread that ends with it: whatever do changes of the
// thread, its user, its mounts or its cgroup, nobody else ever runs with.
func onThread(do func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and not unlocked: the runtime then ends the thread
		if unix.Gettid() != unix.Getpid() {
			done <- do()
			return
		}
		// The main thread cannot end. While it is held here another is taken.
		err := onThread(do)
		runtime.UnlockOSThread()
		done <- err
	}()
	return <-done
}

// takeOn makes the calling thread, which must be one of onThread's, act as a
// machine's root with the capabilities of the host's.
func takeOn(uid uint32) error {
	const noSetuidFixup = 1 << 2 // SECBIT_NO_SETUID_FIXUP: keep capabilities (capabilities(7))
	if err := unix.Prctl(unix.PR_SET_SECUREBITS, noSetuidFixup, 0, 0, 0); err != nil {
		return fmt.Errorf("keep capabilities: %w", err)
	}
	// The system calls themselves change one thread, libraries' change all.
	const keep = ^uintptr(0)
	for _, call := range []uintptr{unix.SYS_SETRESGID, unix.SYS_SETRESUID} {
		if _, _, errno := unix.RawSyscall(call, keep, uintptr(uid), keep); errno != 0 {
			return fmt.Errorf("take on user %d: %w", uid, errno)
		}
	}
	return nil
}
