//go:build linux

package machine

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// assumeUser switches the calling thread to the user id of a machine's root and keeps the
// capabilities of the host's root. The thread must be disposable (thread.RunDisposable).
func assumeUser(uid uint32) error {
	const noSetuidFixup = 1 << 2 // SECBIT_NO_SETUID_FIXUP: keep capabilities (capabilities(7))
	if err := unix.Prctl(unix.PR_SET_SECUREBITS, noSetuidFixup, 0, 0, 0); err != nil {
		return fmt.Errorf("keep capabilities: %w", err)
	}
	// The raw system calls change the calling thread; the syscall package's change all threads.
	const keep = ^uintptr(0)
	for _, call := range []uintptr{unix.SYS_SETRESGID, unix.SYS_SETRESUID} {
		if _, _, errno := unix.RawSyscall(call, keep, uintptr(uid), keep); errno != 0 {
			return fmt.Errorf("switch to user %d: %w", uid, errno)
		}
	}
	return nil
}
