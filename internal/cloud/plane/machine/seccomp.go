//go:build linux

package machine

import (
	"fmt"
	"runtime"
	"unsafe"

	"github.com/elastic/go-seccomp-bpf/arch"
	"golang.org/x/sys/unix"
)

// filterSystemCalls installs the seccomp filter for the calling thread and its descendants.
func filterSystemCalls() error {
	filter, err := systemCallFilter(runtime.GOARCH)
	if err != nil {
		return err
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(&program)))
	if errno != 0 {
		return fmt.Errorf("filter system calls: %w", errno)
	}
	return nil
}

// Instructions of seccomp programs, which are a subset of classic BPF's (seccomp(2)).
const (
	bpfLoad   = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
	bpfEqual  = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
	bpfReturn = unix.BPF_RET | unix.BPF_K
	bpfAnd    = unix.BPF_ALU | unix.BPF_AND | unix.BPF_K
)

// Offsets in struct seccomp_data. An argument has eight bytes. Those of socket(2) are ints: the
// kernel reads the low half, which is the first on little-endian architectures.
const (
	offsetNumber, offsetArch = 0, 4

	offsetFamily   = 16       // argument 0 of socket and socketpair
	offsetProtocol = 16 + 2*8 // argument 2
	offsetRequest  = 16 + 8   // argument 1 of ioctl
)

// systemCallFilter returns a seccomp program. The calls of allowedSystemCalls are allowed;
// sockets depend on socketProtocols, and fail with the errors of a kernel that was built
// without a family or a protocol; requests to devices depend on diskRequests, and fail with the
// error of a device that does not know them. All other calls fail with ENOSYS. So do those of another
// architecture that the processor knows too, such as 32-bit ones: their numbers mean something
// else. Those of x32 have numbers of their own.
//
// The program compares one number after the other. Linux runs it only once for each number
// whose result depends on nothing else, and remembers the result (since 5.11).
func systemCallFilter(goarch string) ([]unix.SockFilter, error) {
	native, ok := map[string]*arch.Info{"amd64": arch.X86_64, "arm64": arch.AARCH64}[goarch]
	if !ok {
		return nil, fmt.Errorf("filter system calls: architecture %s is not supported", goarch)
	}
	filter := []unix.SockFilter{
		{Code: bpfLoad, K: offsetArch},
		{Code: bpfEqual, K: uint32(native.ID), Jt: 1},
		failWith(unix.ENOSYS),
		{Code: bpfLoad, K: offsetNumber},
	}
	for _, name := range allowedSystemCalls() {
		number, ok := native.SyscallNames[name]
		if !ok {
			continue
		}
		rule := []unix.SockFilter{allow()}
		switch name {
		case "socket", "socketpair":
			rule = socketRule()
		case "ioctl":
			rule = requestRule()
		}
		filter = append(filter, when(uint32(number), rule)...)
	}
	return append(filter, failWith(unix.ENOSYS)), nil
}

// socketRule returns instructions that decide on a call of socket or socketpair.
func socketRule() []unix.SockFilter {
	rule := []unix.SockFilter{{Code: bpfLoad, K: offsetFamily}}
	for _, s := range socketProtocols {
		byProtocol := []unix.SockFilter{allow()}
		if s.protocols != nil {
			byProtocol = []unix.SockFilter{{Code: bpfLoad, K: offsetProtocol}}
			for _, protocol := range s.protocols {
				byProtocol = append(byProtocol, when(protocol, []unix.SockFilter{allow()})...)
			}
			byProtocol = append(byProtocol, failWith(unix.EPROTONOSUPPORT))
		}
		rule = append(rule, when(s.family, byProtocol)...)
	}
	return append(rule, failWith(unix.EAFNOSUPPORT))
}

// requestRule returns instructions that decide on a call of ioctl by its request's type and number
// (ioctl(2), the lower two bytes).
func requestRule() []unix.SockFilter {
	const kind, kindAndNumber = 0xff00, 0xffff
	disk := []unix.SockFilter{{Code: bpfLoad, K: offsetRequest}, {Code: bpfAnd, K: kindAndNumber}}
	for _, number := range diskRequests {
		disk = append(disk, when(diskRequest|number, []unix.SockFilter{allow()})...)
	}
	disk = append(disk, failWith(unix.ENOTTY))
	rule := []unix.SockFilter{{Code: bpfLoad, K: offsetRequest}, {Code: bpfAnd, K: kind}}
	rule = append(rule, when(loopRequest, []unix.SockFilter{failWith(unix.ENOTTY)})...)
	rule = append(rule, when(diskRequest, disk)...)
	return append(rule, allow())
}

// when returns instructions that run do, which must end with a result, if the loaded value is
// the given one.
func when(value uint32, do []unix.SockFilter) []unix.SockFilter {
	return append([]unix.SockFilter{{Code: bpfEqual, K: value, Jf: uint8(len(do))}}, do...)
}

func allow() unix.SockFilter { return unix.SockFilter{Code: bpfReturn, K: unix.SECCOMP_RET_ALLOW} }

func failWith(errno unix.Errno) unix.SockFilter {
	return unix.SockFilter{Code: bpfReturn, K: unix.SECCOMP_RET_ERRNO | uint32(errno)}
}
