//go:build linux

package confinement

import "golang.org/x/sys/unix"

const nativeArchitecture = unix.AUDIT_ARCH_X86_64

var nativeSystemCalls = []uint32{
	unix.SYS_NEWFSTATAT, unix.SYS_POLL, unix.SYS_EPOLL_WAIT, unix.SYS_ARCH_PRCTL,
}
