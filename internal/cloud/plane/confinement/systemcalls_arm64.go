//go:build linux

package confinement

import "golang.org/x/sys/unix"

const nativeArchitecture = unix.AUDIT_ARCH_AARCH64

var nativeSystemCalls = []uint32{unix.SYS_FSTATAT}
