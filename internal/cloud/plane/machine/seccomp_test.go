//go:build linux

package machine

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// runFilter interprets the filter as the kernel does, and returns its result. It knows the
// instructions that systemCallFilter uses.
func runFilter(t *testing.T, filter []unix.SockFilter, arch, number uint32) uint32 {
	t.Helper()
	var loaded uint32
	for pc := 0; pc < len(filter); pc++ {
		i := filter[pc]
		holds := false
		switch i.Code {
		case unix.BPF_LD | unix.BPF_W | unix.BPF_ABS:
			loaded = map[uint32]uint32{0: number, 4: arch}[i.K]
			continue
		case unix.BPF_RET | unix.BPF_K:
			return i.K
		case unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K:
			holds = loaded == i.K
		case unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K:
			holds = loaded >= i.K
		default:
			t.Fatalf("unknown instruction %#x", i.Code)
		}
		if holds {
			pc += int(i.Jt)
		} else {
			pc += int(i.Jf)
		}
	}
	t.Fatal("the filter ends without a result")
	return 0
}

func TestFilterDeniesDangerousSystemCalls(t *testing.T) {
	refused, unknown := unix.SECCOMP_RET_ERRNO|uint32(unix.EPERM), unix.SECCOMP_RET_ERRNO|uint32(unix.ENOSYS)
	for name, arch := range map[string]struct {
		native  uint32
		foreign []uint32 // architectures whose programs the processor may run too
	}{
		"amd64": {unix.AUDIT_ARCH_X86_64, []uint32{unix.AUDIT_ARCH_I386}},
		"arm64": {unix.AUDIT_ARCH_AARCH64, []uint32{unix.AUDIT_ARCH_ARM, unix.AUDIT_ARCH_ARMEB}},
	} {
		filter, err := systemCallFilter(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, number := range deniedSystemCalls {
			if got := runFilter(t, filter, arch.native, number); got != refused {
				t.Errorf("%s: call %d: got %#x, want EPERM", name, number, got)
			}
		}
		for _, number := range []uint32{
			unix.SYS_READ, unix.SYS_MOUNT, unix.SYS_CLONE, unix.SYS_REBOOT, unix.SYS_SETNS,
		} {
			if got := runFilter(t, filter, arch.native, number); got != unix.SECCOMP_RET_ALLOW {
				t.Errorf("%s: call %d: got %#x, want it allowed", name, number, got)
			}
		}
		for _, foreign := range arch.foreign {
			if got := runFilter(t, filter, foreign, unix.SYS_READ); got != unknown {
				t.Errorf("%s: a call of architecture %#x: got %#x, want ENOSYS", name, foreign, got)
			}
		}
		if got := runFilter(t, filter, arch.native, 0x40000000|unix.SYS_INIT_MODULE); got != unknown {
			t.Errorf("%s: a call of x32: got %#x, want ENOSYS", name, got)
		}
	}
	if _, err := systemCallFilter("mips"); err == nil || !strings.Contains(err.Error(), "mips") {
		t.Errorf("an unsupported architecture: %v", err)
	}
}
