package socket

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// receive and send are recv(2) and send(2) on a non-blocking socket. As they never
// wait, the runtime need not be told, which costs as much as a short system call
// itself; read(2) and write(2) go through the file system's layer first, and touch
// what a server of thousands of connections has not in its caches (measured by
// bench/balancer).
func receive(fd int, p []byte) (int, syscall.Errno) {
	return transfer(unix.SYS_RECVFROM, fd, p, 0)
}

func send(fd int, p []byte) (int, syscall.Errno) {
	return transfer(unix.SYS_SENDTO, fd, p, unix.MSG_NOSIGNAL)
}

func transfer(call uintptr, fd int, p []byte, flags uintptr) (int, syscall.Errno) {
	for {
		n, _, errno := unix.RawSyscall6(call, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), flags, 0, 0) //nolint:gosec // the call keeps no pointer
		if errno == unix.EINTR {
			continue
		}
		if errno != 0 {
			return 0, errno
		}
		return int(n), 0
	}
}

// peek looks whether a read would find something; EAGAIN: it would not.
func peek(fd int) syscall.Errno {
	var b [1]byte
	_, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(&b)), 1, unix.MSG_PEEK|unix.MSG_DONTWAIT, 0, 0) //nolint:gosec // as above
	return errno
}
