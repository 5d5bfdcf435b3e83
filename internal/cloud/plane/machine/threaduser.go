package machine

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// assumeUser makes the calling thread, which must be one that is given up
// (thread.RunDisposable), act as a machine's root with the capabilities of the host's.
func assumeUser(uid uint32) error {
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
