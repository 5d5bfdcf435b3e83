//go:build linux && root

package machine_test

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// systemCallProgram makes the system calls that its arguments describe, as number and
// arguments joined by commas, and prints the error number of each.
const systemCallProgram = `perl -e 'for (@ARGV) {
	my ($number, @arguments) = map { $_ + 0 } split /,/;
	print syscall($number, @arguments) == -1 ? $! + 0 : 0, " ";
}' `

func TestRealMachineRootHasOnlyTheListedSystemCalls(t *testing.T) {
	s := newFixture(t)
	m := s.machine(1)
	s.bootFully(m)
	type attack struct {
		what      string
		want      unix.Errno
		number    int
		arguments []int
	}
	attacks := []attack{
		{"settimeofday", unix.ENOSYS, unix.SYS_SETTIMEOFDAY, []int{0, 0}},
		{"syslog: size of the host's log", unix.ENOSYS, unix.SYS_SYSLOG, []int{10, 0, 0}},
		{"kcmp", unix.ESRCH, unix.SYS_KCMP, []int{0, 0, 0, 0, 0}}, // debuggers have it
		{"socket: SMC of AF_INET", unix.EPROTONOSUPPORT, unix.SYS_SOCKET, []int{unix.AF_INET, 1, unix.IPPROTO_SMC}},
		{"socket: SCTP", unix.EPROTONOSUPPORT, unix.SYS_SOCKET, []int{unix.AF_INET, 1, unix.IPPROTO_SCTP}},
		{"socket: XFRM", unix.EPROTONOSUPPORT, unix.SYS_SOCKET, []int{unix.AF_NETLINK, 3, unix.NETLINK_XFRM}},
		{"socket: TCP", 0, unix.SYS_SOCKET, []int{unix.AF_INET, 1, 0}},
		{"socket: packets", 0, unix.SYS_SOCKET, []int{unix.AF_PACKET, 3, 0}},
		{"socket: the high half of the family", unix.EAFNOSUPPORT, unix.SYS_SOCKET, []int{1<<32 | unix.AF_VSOCK, 1, 0}},
	}
	for number, arguments := range map[int][]int{
		unix.SYS_IO_URING_SETUP: {1, 0}, unix.SYS_IO_URING_ENTER: {-1, 0, 0, 0, 0, 0},
		unix.SYS_IO_URING_REGISTER: {-1, 0, 0, 0}, unix.SYS_BPF: {0, 0, 0}, unix.SYS_PERF_EVENT_OPEN: {0, 0, -1, -1, 0},
		unix.SYS_USERFAULTFD: {0}, unix.SYS_KEYCTL: {0, 0, 0, 0, 0}, unix.SYS_ADD_KEY: {0, 0, 0, 0, 0},
		unix.SYS_REQUEST_KEY: {0, 0, 0, 0}, unix.SYS_OPEN_BY_HANDLE_AT: {-1, 0, 0}, unix.SYS_KEXEC_LOAD: {0, 0, 0, 0},
		unix.SYS_INIT_MODULE: {0, 0, 0}, unix.SYS_FINIT_MODULE: {-1, 0, 0}, unix.SYS_DELETE_MODULE: {0, 0},
		unix.SYS_QUOTACTL: {0, 0, 0, 0}, unix.SYS_QUOTACTL_FD: {-1, 0, 0, 0}, unix.SYS_SWAPON: {0, 0},
		unix.SYS_SWAPOFF: {0}, unix.SYS_ACCT: {0}, unix.SYS_IO_SETUP: {1000, 0},
		unix.SYS_CLOCK_SETTIME: {0, 0}, unix.SYS_MEMFD_SECRET: {0},
	} {
		attacks = append(attacks, attack{fmt.Sprint("system call ", number), unix.ENOSYS, number, arguments})
	}
	for _, family := range []int{
		unix.AF_VSOCK, unix.AF_ALG, unix.AF_RDS, unix.AF_TIPC, unix.AF_KCM, unix.AF_SMC, unix.AF_XDP, unix.AF_KEY,
		unix.AF_BLUETOOTH, unix.AF_CAN, unix.AF_PPPOX, unix.AF_QIPCRTR, unix.AF_LLC, unix.AF_RXRPC,
	} {
		for function, number := range map[string]int{"socket": unix.SYS_SOCKET, "socketpair": unix.SYS_SOCKETPAIR} {
			what := fmt.Sprintf("%s of family %d", function, family)
			attacks = append(attacks, attack{what, unix.EAFNOSUPPORT, number, []int{family, 1, 0, 0}})
		}
	}
	command := systemCallProgram
	for _, a := range attacks {
		words := strings.Fields(strings.Trim(fmt.Sprint(append([]int{a.number}, a.arguments...)), "[]"))
		command += " " + strings.Join(words, ",")
	}
	out, err := s.inside(m.ID, command)
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	results := strings.Fields(out)
	if len(results) != len(attacks) {
		t.Fatalf("%d results of %d calls: %s", len(results), len(attacks), out)
	}
	for i, a := range attacks {
		if want := fmt.Sprint(int(a.want)); results[i] != want {
			t.Errorf("%s: error %s, want %s (%v)", a.what, results[i], want, a.want)
		}
	}
	for _, c := range []struct{ command, want string }{ // of packaged services and of usual tools
		{"systemd-run --quiet --wait --property=PrivateUsers=yes --property=DynamicUser=yes true && echo ran", "ran"},
		{"unshare --user --map-root-user --mount id -u", "0"},
		{"setarch --addr-no-randomize echo ran", "ran"},
		{"ss --listening --tcp --numeric --no-header | grep -c :22", "2"}, // IPv4 and IPv6
		{"ip -brief link show lo | cut -d' ' -f1", "lo"},
		{"systemctl is-system-running; systemctl --failed --quiet", "running"},
	} {
		if got, err := s.inside(m.ID, c.command); got != c.want {
			t.Errorf("%s\n got %q (%v)\nwant %q", c.command, got, err, c.want)
		}
	}
}
