//go:build linux

package machine

import (
	"slices"
	"strings"
	"testing"

	"github.com/elastic/go-seccomp-bpf/arch"
	"golang.org/x/sys/unix"
)

// systemCall is a system call as a filter sees it.
type systemCall struct {
	arch, number     uint32
	family, protocol uint32 // arguments 0 and 2
	request          uint32 // argument 1
}

// runFilter interprets the filter as the kernel does, and returns its result. It knows the
// instructions that systemCallFilter uses.
func runFilter(t *testing.T, filter []unix.SockFilter, c systemCall) uint32 {
	t.Helper()
	// struct seccomp_data
	data := map[uint32]uint32{0: c.number, 4: c.arch, 16: c.family, 24: c.request, 32: c.protocol}
	var loaded uint32
	for pc := 0; pc < len(filter); pc++ {
		i := filter[pc]
		switch i.Code {
		case unix.BPF_LD | unix.BPF_W | unix.BPF_ABS:
			value, ok := data[i.K]
			if !ok {
				t.Fatalf("loads offset %d", i.K)
			}
			loaded = value
		case unix.BPF_ALU | unix.BPF_AND | unix.BPF_K:
			loaded &= i.K
		case unix.BPF_RET | unix.BPF_K:
			return i.K
		case unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K:
			if loaded == i.K {
				pc += int(i.Jt)
			} else {
				pc += int(i.Jf)
			}
		default:
			t.Fatalf("unknown instruction %#x", i.Code)
		}
	}
	t.Fatal("the filter ends without a result")
	return 0
}

const allowed = uint32(unix.SECCOMP_RET_ALLOW)

func refused(errno unix.Errno) uint32 { return unix.SECCOMP_RET_ERRNO | uint32(errno) }

// architectures have the kernel's tables of calls, and the architectures whose programs the
// processor may run too.
var architectures = map[string]struct {
	*arch.Info
	foreign []uint32
}{
	"amd64": {arch.X86_64, []uint32{unix.AUDIT_ARCH_I386}},
	"arm64": {arch.AARCH64, []uint32{unix.AUDIT_ARCH_ARM, unix.AUDIT_ARCH_ARMEB}},
}

// TestFilterAllowsTheListedSystemCallsAlone asks a filter about every number that the
// architecture has, and those after them.
func TestFilterAllowsTheListedSystemCallsAlone(t *testing.T) {
	listed := allowedSystemCalls()
	for name, a := range architectures {
		filter, err := systemCallFilter(name)
		if err != nil {
			t.Fatal(err)
		}
		if len(filter) > unix.BPF_MAXINSNS {
			t.Errorf("%s: %d instructions", name, len(filter))
		}
		for number := range uint32(1000) {
			want := refused(unix.ENOSYS)
			if slices.Contains(listed, a.SyscallNumbers[int(number)]) {
				want = allowed
			}
			native := systemCall{arch: uint32(a.ID), number: number, family: unix.AF_UNIX}
			if got := runFilter(t, filter, native); got != want {
				t.Errorf("%s: call %d (%s): got %#x, want %#x", name, number, a.SyscallNumbers[int(number)], got, want)
			}
			for _, other := range a.foreign {
				c := native
				c.arch = other
				if got := runFilter(t, filter, c); got != refused(unix.ENOSYS) {
					t.Errorf("%s: call %d of architecture %#x: got %#x, want ENOSYS", name, number, other, got)
				}
			}
			native.number |= 0x40000000 // x32
			if got := runFilter(t, filter, native); got != refused(unix.ENOSYS) {
				t.Errorf("%s: call %d of x32: got %#x, want ENOSYS", name, number, got)
			}
		}
	}
	if _, err := systemCallFilter("mips"); err == nil || !strings.Contains(err.Error(), "mips") {
		t.Errorf("an unsupported architecture: %v", err)
	}
}

func TestListedSystemCallsExist(t *testing.T) {
	listed := allowedSystemCalls()
	for i, name := range listed {
		_, amd64 := arch.X86_64.SyscallNames[name]
		_, arm64 := arch.AARCH64.SyscallNames[name]
		if !amd64 && !arm64 {
			t.Errorf("no architecture has %s", name)
		}
		if slices.Contains(listed[:i], name) {
			t.Errorf("%s is listed twice", name)
		}
	}
	for _, name := range []string{ // by which processes have escaped, or which configure the host
		"bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register", "keyctl",
		"io_setup",
		"add_key", "request_key", "open_by_handle_at", "init_module", "finit_module", "delete_module", "kexec_load",
		"kexec_file_load", "quotactl", "quotactl_fd", "syslog", "swapon", "swapoff", "acct", "settimeofday",
		"clock_settime", "iopl", "ioperm", "modify_ldt", "lookup_dcookie", "fanotify_init",
	} {
		if slices.Contains(listed, name) {
			t.Errorf("%s is allowed", name)
		}
	}
}

func TestFilterDecidesOnSocketsByFamilyAndProtocol(t *testing.T) {
	for name, a := range architectures {
		filter, err := systemCallFilter(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			family, protocol, want uint32
		}{
			{unix.AF_UNIX, 0, allowed},
			{unix.AF_INET, 0, allowed},
			{unix.AF_INET, unix.IPPROTO_MPTCP, allowed},
			{unix.AF_INET, unix.IPPROTO_ICMP, allowed},
			{unix.AF_INET6, unix.IPPROTO_UDP, allowed},
			{unix.AF_INET, unix.IPPROTO_SCTP, refused(unix.EPROTONOSUPPORT)},
			{unix.AF_INET6, unix.IPPROTO_DCCP, refused(unix.EPROTONOSUPPORT)},
			{unix.AF_INET, unix.IPPROTO_L2TP, refused(unix.EPROTONOSUPPORT)},
			{unix.AF_INET, unix.IPPROTO_SMC, refused(unix.EPROTONOSUPPORT)},
			{unix.AF_NETLINK, unix.NETLINK_ROUTE, allowed},
			{unix.AF_NETLINK, unix.NETLINK_NETFILTER, allowed},
			{unix.AF_NETLINK, unix.NETLINK_XFRM, refused(unix.EPROTONOSUPPORT)},
			{unix.AF_NETLINK, unix.NETLINK_CRYPTO, refused(unix.EPROTONOSUPPORT)},
			{unix.AF_PACKET, 0x300, allowed}, // ETH_P_ALL in network byte order
			{unix.AF_VSOCK, 0, refused(unix.EAFNOSUPPORT)},
			{unix.AF_ALG, 0, refused(unix.EAFNOSUPPORT)},
			{unix.AF_MAX, 0, refused(unix.EAFNOSUPPORT)},
		} {
			for _, function := range []string{"socket", "socketpair"} {
				number := uint32(a.SyscallNames[function])
				got := runFilter(t, filter, systemCall{
					arch: uint32(a.ID), number: number, family: c.family, protocol: c.protocol,
				})
				if got != c.want {
					t.Errorf("%s: %s of family %d, protocol %d: got %#x, want %#x",
						name, function, c.family, c.protocol, got, c.want)
				}
			}
		}
	}
}

// loopChangeFD is LOOP_CHANGE_FD (linux/loop.h).
const loopChangeFD = 0x4c06

func TestFilterAllowsHarmlessRequestsToDevicesAlone(t *testing.T) {
	for name, a := range architectures {
		filter, err := systemCallFilter(name)
		if err != nil {
			t.Fatal(err)
		}
		for request, want := range map[uint32]uint32{
			unix.LOOP_SET_FD: refused(unix.ENOTTY), unix.LOOP_CLR_FD: refused(unix.ENOTTY),
			loopChangeFD: refused(unix.ENOTTY), unix.LOOP_CONFIGURE: refused(unix.ENOTTY),
			unix.LOOP_SET_STATUS64: refused(unix.ENOTTY), unix.LOOP_GET_STATUS64: refused(unix.ENOTTY),
			unix.LOOP_SET_CAPACITY: refused(unix.ENOTTY), unix.LOOP_SET_BLOCK_SIZE: refused(unix.ENOTTY),
			0xc0481273: refused(unix.ENOTTY), // BLKTRACESETUP
			unix.BLKPG: refused(unix.ENOTTY), unix.BLKRRPART: refused(unix.ENOTTY), unix.BLKROSET: refused(unix.ENOTTY),
			unix.BLKGETSIZE64: allowed, unix.BLKDISCARD: allowed, unix.BLKSSZGET: allowed,
			unix.TCGETS: allowed, unix.TIOCGWINSZ: allowed,
		} {
			call := systemCall{arch: uint32(a.ID), number: uint32(a.SyscallNames["ioctl"]), request: request}
			if got := runFilter(t, filter, call); got != want {
				t.Errorf("%s: request %#x: got %#x, want %#x", name, request, got, want)
			}
		}
	}
}
