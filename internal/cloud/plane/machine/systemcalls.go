//go:build linux

package machine

import (
	"strings"

	"golang.org/x/sys/unix"
)

// allowedSystemCalls returns the names of the system calls that processes in a machine may
// use. All others do not exist in a machine (ENOSYS): programs then do without, as they do on
// an older kernel. The list has what the supported distributions, their packages and the
// usual runtimes and debuggers call, whether or not it needs a capability: the kernel checks
// capabilities itself, and root in a machine has none over the host. Names that one
// architecture lacks are calls that it never had. A call that is new in Linux gets its place
// here when a program needs it and its reach into the kernel is understood.
func allowedSystemCalls() []string {
	return strings.Fields(callsOnFiles + callsOnProcesses + callsOnMemory + callsOnTime + callsOnEvents +
		callsOnNetworks + callsOfServiceManagers + callsOfDebuggers)
}

// Files, directories, pipes, extended attributes and locks. They act on files that the
// machine sees, with its user ids. File handles are not there: open_by_handle_at(2) finds
// files of a filesystem that the machine does not see; systemd makes handles to compare
// them (name_to_handle_at). Quotas, swap and accounting (quotactl, swapon, acct) belong to
// the host.
const callsOnFiles = `
read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2 lseek
open openat openat2 creat close close_range dup dup2 dup3 fcntl ioctl flock
stat fstat lstat newfstatat fstatat statx access faccessat faccessat2
truncate ftruncate fallocate fadvise64 readahead
sync syncfs fsync fdatasync sync_file_range
sendfile splice tee vmsplice copy_file_range
getdents getdents64 getcwd chdir fchdir chroot umask
mkdir mkdirat rmdir mknod mknodat rename renameat renameat2
link linkat unlink unlinkat symlink symlinkat readlink readlinkat
chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat utime utimes futimesat utimensat
setxattr lsetxattr fsetxattr setxattrat getxattr lgetxattr fgetxattr getxattrat
listxattr llistxattr flistxattr listxattrat removexattr lremovexattr fremovexattr removexattrat
statfs fstatfs name_to_handle_at cachestat
pipe pipe2
`

// Processes, threads, users, limits and signals. Nested user namespaces stay: packaged
// services (PrivateUsers=, as Debian's redis-server), browsers and containers without root
// need them, and they contain nothing that the machine's root lacks. Keyrings (keyctl) are
// those of the host.
const callsOnProcesses = `
fork vfork clone clone3 execve execveat exit exit_group wait4 waitid
getpid getppid gettid getpgid setpgid getpgrp getsid setsid set_tid_address
getuid geteuid getgid getegid setuid setgid setreuid setregid setresuid setresgid getresuid getresgid
setfsuid setfsgid getgroups setgroups capget capset
getrlimit setrlimit prlimit64 getrusage times getpriority setpriority ioprio_get ioprio_set
sched_yield sched_setparam sched_getparam sched_setscheduler sched_getscheduler sched_setattr sched_getattr
sched_setaffinity sched_getaffinity sched_get_priority_max sched_get_priority_min sched_rr_get_interval
kill tkill tgkill rt_sigaction rt_sigprocmask rt_sigpending rt_sigtimedwait rt_sigqueueinfo rt_tgsigqueueinfo
rt_sigsuspend rt_sigreturn sigaltstack pause restart_syscall
pidfd_open pidfd_send_signal pidfd_getfd
prctl arch_prctl personality getcpu rseq membarrier
futex futex_waitv futex_wake futex_wait futex_requeue set_robust_list get_robust_list
seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self
lsm_get_self_attr lsm_set_self_attr lsm_list_modules
uname sysinfo getrandom
`

// Memory, and the memory that processes share. Everything is charged to the machine's control
// group. The policies for NUMA nodes are for databases and the JVM. userfaultfd(2) is not
// there: it stops the kernel in the middle of its work, which exploits need.
const callsOnMemory = `
brk mmap munmap mremap mprotect madvise process_madvise process_mrelease mincore msync mseal
mlock mlock2 munlock mlockall munlockall memfd_create map_shadow_stack
pkey_alloc pkey_free pkey_mprotect
mbind get_mempolicy set_mempolicy set_mempolicy_home_node migrate_pages move_pages
shmget shmat shmdt shmctl semget semop semctl semtimedop msgget msgsnd msgrcv msgctl
mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr
`

// Time, which a machine reads and the host sets. adjtimex and clock_adjtime report whether
// the clock is synchronized; changes need a capability over the host.
const callsOnTime = `
time gettimeofday clock_gettime clock_getres clock_nanosleep nanosleep adjtimex clock_adjtime
alarm getitimer setitimer timer_create timer_settime timer_gettime timer_getoverrun timer_delete
timerfd_create timerfd_settime timerfd_gettime
`

// Waiting for events. Asynchronous I/O (io_setup) is not there: all users of the host share one
// number of requests (fs.aio-max-nr), which a machine could use up; databases and nginx do
// without. io_uring is not there: its calls pass by this filter, and it is the part
// of the kernel with the most escapes from containers of the last years. libuv, Go and databases
// use epoll where they do not find it.
const callsOnEvents = `
select pselect6 poll ppoll
epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2
eventfd eventfd2 signalfd signalfd4
inotify_init inotify_init1 inotify_add_watch inotify_rm_watch
`

// Sockets, of the families and protocols of socketProtocols.
const callsOnNetworks = `
socket socketpair bind listen accept accept4 connect shutdown getsockname getpeername
getsockopt setsockopt sendto recvfrom sendmsg recvmsg sendmmsg recvmmsg
`

// What systemd, and what starts services or containers, needs to divide a machine: namespaces,
// mounts, names, power. All of it is confined to the machine's own namespaces.
const callsOfServiceManagers = `
unshare setns sethostname setdomainname reboot vhangup
mount umount2 pivot_root mount_setattr open_tree open_tree_attr move_mount fsopen fsconfig fsmount fspick
statmount listmount
`

// Debuggers and tracers of processes. The kernel limits them to the machine's user namespace.
// Performance counters and programs for the kernel (perf_event_open, bpf) are not there.
const callsOfDebuggers = `ptrace process_vm_readv process_vm_writev kcmp`

// socketProtocols are the families of sockets that a machine may create, and the protocols of
// each; nil stands for all. Each family is a part of the kernel of its own, loaded on demand.
// AF_VSOCK reaches the hypervisor past all namespaces. AF_ALG, RDS, TIPC, KCM, SMC, XDP and
// the like serve nothing that runs on an instance.
var socketProtocols = []struct {
	family    uint32
	protocols []uint32
}{
	{unix.AF_UNIX, nil},
	// Go's listeners ask for MPTCP first. Raw sockets with these protocols are for ping,
	// traceroute and keepalived. SCTP, DCCP, L2TP and SMC, which have a number too, are not there.
	{unix.AF_INET, internetProtocols},
	{unix.AF_INET6, internetProtocols},
	// Interfaces and routes (ip), sockets (ss), nftables, devices (systemd), and families by
	// name such as ethtool. Those for IPsec, ISCSI, RDMA, cryptography, audit and others
	// configure the host.
	{unix.AF_NETLINK, []uint32{
		unix.NETLINK_ROUTE, unix.NETLINK_SOCK_DIAG, unix.NETLINK_NETFILTER, unix.NETLINK_KOBJECT_UEVENT,
		unix.NETLINK_GENERIC,
	}},
	{unix.AF_PACKET, nil}, // DHCP clients, arping and tcpdump
}

// ipprotoVRRP is the protocol of RFC 9568, which x/sys does not name.
const ipprotoVRRP = 112

var internetProtocols = []uint32{
	unix.IPPROTO_IP, unix.IPPROTO_TCP, unix.IPPROTO_UDP, unix.IPPROTO_MPTCP, unix.IPPROTO_ICMP, unix.IPPROTO_ICMPV6,
	unix.IPPROTO_IGMP, unix.IPPROTO_RAW, ipprotoVRRP,
}

// Types of requests to devices (Documentation/userspace-api/ioctl/ioctl-number.rst), as the second
// byte of their numbers.
const (
	loopRequest = 'L' << 8
	diskRequest = 0x12 << 8
)

// diskRequests are the requests that programs in a machine may send to a block device, which is a
// loop device of the host (linux/fs.h). They return its properties, discard blocks and write
// zeroes. The requests of loop devices are not there: who may write to a loop device may attach
// another file to it, or detach its file so that the device becomes another machine's disk
// (drivers/block/loop.c asks for no capability). Nor are traces (BLKTRACESETUP), whose buffers
// take the host's memory.
var diskRequests = []uint32{
	94,  // BLKROGET
	96,  // BLKGETSIZE
	97,  // BLKFLSBUF
	99,  // BLKRAGET
	103, // BLKSECTGET
	104, // BLKSSZGET
	112, // BLKBSZGET
	113, // BLKBSZSET
	114, // BLKGETSIZE64
	119, // BLKDISCARD
	120, // BLKIOMIN
	121, // BLKIOOPT
	122, // BLKALIGNOFF
	123, // BLKPBSZGET
	124, // BLKDISCARDZEROES
	125, // BLKSECDISCARD
	126, // BLKROTATIONAL
	127, // BLKZEROOUT
	128, // BLKGETDISKSEQ
}
