//go:build linux

package confinement

import "golang.org/x/sys/unix"

// runtimeSystemCalls are the system calls that Go's runtime and its network poller need.
// Those that only one architecture has are in nativeSystemCalls.
var runtimeSystemCalls = []uint32{
	unix.SYS_EPOLL_CREATE1, unix.SYS_EPOLL_CTL, unix.SYS_EPOLL_PWAIT, unix.SYS_EVENTFD2, unix.SYS_PIPE2,
	unix.SYS_PPOLL,
	unix.SYS_READ, unix.SYS_WRITE, unix.SYS_CLOSE, unix.SYS_FCNTL, unix.SYS_FSTAT, unix.SYS_OPENAT,
	unix.SYS_MMAP, unix.SYS_MUNMAP, unix.SYS_MPROTECT, unix.SYS_MREMAP, unix.SYS_MADVISE, unix.SYS_MINCORE,
	unix.SYS_BRK,
	unix.SYS_FUTEX, unix.SYS_SCHED_YIELD, unix.SYS_SCHED_GETAFFINITY, unix.SYS_SET_ROBUST_LIST, unix.SYS_RSEQ,
	unix.SYS_MEMBARRIER, unix.SYS_PRCTL, unix.SYS_SET_TID_ADDRESS,
	unix.SYS_RT_SIGACTION, unix.SYS_RT_SIGPROCMASK, unix.SYS_RT_SIGRETURN, unix.SYS_SIGALTSTACK, unix.SYS_TGKILL,
	unix.SYS_GETPID, unix.SYS_GETTID, unix.SYS_RESTART_SYSCALL, unix.SYS_EXIT, unix.SYS_EXIT_GROUP,
	unix.SYS_NANOSLEEP, unix.SYS_CLOCK_NANOSLEEP, unix.SYS_CLOCK_GETTIME, unix.SYS_GETTIMEOFDAY, unix.SYS_GETRANDOM,
	unix.SYS_GETRLIMIT, unix.SYS_PRLIMIT64, unix.SYS_UNAME,
}

// systemCallFilter returns a seccomp program (seccomp(2)) that allows those calls and others.
// What is left fails with EPERM, and calls of another architecture, whose numbers mean
// something else, with ENOSYS. Sockets, and pairs of sockets, must be of one of the families, and
// clone(2) must start a thread.
func systemCallFilter(calls, families []uint32) []unix.SockFilter {
	const (
		load   = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
		equal  = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
		has    = unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K
		result = unix.BPF_RET | unix.BPF_K

		offsetNumber, offsetArch, offsetArgument = 0, 4, 16 // in struct seccomp_data

		refuse = unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)
		absent = unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)
	)
	filter := []unix.SockFilter{
		{Code: load, K: offsetArch},
		{Code: equal, K: nativeArchitecture, Jt: 1},
		{Code: result, K: absent},
		{Code: load, K: offsetNumber},
		{Code: equal, K: unix.SYS_CLONE3, Jf: 1}, // its flags are out of reach; libc falls back to clone
		{Code: result, K: absent},
		{Code: equal, K: unix.SYS_CLONE, Jf: 4},
		{Code: load, K: offsetArgument},
		{Code: has, K: unix.CLONE_THREAD, Jf: 1},
		{Code: result, K: unix.SECCOMP_RET_ALLOW},
		{Code: result, K: refuse},
		{Code: equal, K: unix.SYS_SOCKETPAIR, Jt: 1},
		{Code: equal, K: unix.SYS_SOCKET, Jf: uint8(2 + 2*len(families))},
		{Code: load, K: offsetArgument},
	}
	allow := func(value uint32) {
		filter = append(filter,
			unix.SockFilter{Code: equal, K: value, Jf: 1},
			unix.SockFilter{Code: result, K: unix.SECCOMP_RET_ALLOW})
	}
	for _, family := range families {
		allow(family)
	}
	filter = append(filter, unix.SockFilter{Code: result, K: refuse})
	for _, list := range [][]uint32{nativeSystemCalls, runtimeSystemCalls, calls} {
		for _, number := range list {
			allow(number)
		}
	}
	return append(filter, unix.SockFilter{Code: result, K: refuse})
}
