//go:build linux

package machine

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// droppedCapabilities are capabilities that no process in a machine has. In a user
// namespace they would have little effect; without them, programs such as systemd know not
// to try.
var droppedCapabilities = []uintptr{
	unix.CAP_SYS_MODULE, unix.CAP_SYS_TIME, unix.CAP_SYS_RAWIO, unix.CAP_SYSLOG, unix.CAP_WAKE_ALARM,
	unix.CAP_BLOCK_SUSPEND, unix.CAP_MAC_ADMIN, unix.CAP_MAC_OVERRIDE, unix.CAP_AUDIT_CONTROL, unix.CAP_AUDIT_READ,
	unix.CAP_BPF, unix.CAP_PERFMON,
}

// dropCapabilities removes the capabilities from the bounding set of the calling thread and
// its descendants.
func dropCapabilities() error {
	for _, capability := range droppedCapabilities {
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, capability, 0, 0, 0); err != nil {
			return fmt.Errorf("drop capability %d: %w", capability, err)
		}
	}
	return nil
}
