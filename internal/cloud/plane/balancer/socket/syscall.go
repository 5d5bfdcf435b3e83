//go:build linux

package socket

import (
	"net/netip"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// receive and send are recv(2) and send(2) on a non-blocking socket. They never wait, so
// they skip telling Go's runtime, which costs as much as a short system call itself.
// read(2) and write(2) would go through the file system's layer first, and touch memory
// that a server of thousands of connections does not have in its caches (measured by
// bench/balancer).
func receive(fd int, p []byte) (int, syscall.Errno) {
	return transfer(unix.SYS_RECVFROM, fd, p, 0)
}

func send(fd int, p []byte) (int, syscall.Errno) {
	return transfer(unix.SYS_SENDTO, fd, p, unix.MSG_NOSIGNAL)
}

func transfer(call uintptr, fd int, p []byte, flags uintptr) (int, syscall.Errno) {
	for {
		//nolint:gosec // the call keeps no pointer
		n, _, errno := unix.RawSyscall6(call, uintptr(fd),
			uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), flags, 0, 0)
		if errno == unix.EINTR {
			continue
		}
		if errno != 0 {
			return 0, errno
		}
		return int(n), 0
	}
}

// peek returns 0 if a read would return data or EOF, and EAGAIN if it would return nothing.
func peek(fd int) syscall.Errno {
	var b [1]byte
	//nolint:gosec // the call keeps no pointer
	_, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd),
		uintptr(unsafe.Pointer(&b)), 1, unix.MSG_PEEK|unix.MSG_DONTWAIT, 0, 0)
	return errno
}

// connect is connect(2) of a non-blocking TCP socket. For a peer on the same host, which
// has answered when the call returns, it takes as long as closeFD.
func connect(fd int, to netip.AddrPort) syscall.Errno {
	if to.Addr().Is6() {
		at := unix.RawSockaddrInet6{Family: unix.AF_INET6, Addr: to.Addr().As16()}
		putPort(&at.Port, to.Port())
		//nolint:gosec // the call keeps no pointer
		_, _, errno := unix.RawSyscall(unix.SYS_CONNECT, uintptr(fd),
			uintptr(unsafe.Pointer(&at)), unix.SizeofSockaddrInet6)
		return errno
	}
	at := unix.RawSockaddrInet4{Family: unix.AF_INET, Addr: to.Addr().As4()}
	putPort(&at.Port, to.Port())
	//nolint:gosec // the call keeps no pointer
	_, _, errno := unix.RawSyscall(unix.SYS_CONNECT, uintptr(fd),
		uintptr(unsafe.Pointer(&at)), unix.SizeofSockaddrInet4)
	return errno
}

// closeFD is close(2) of a TCP socket. It does not wait: the kernel sends the remaining data
// in the background. Starting the handshake with the peer takes so long that the runtime, if
// it knew of the call, would take the processor away.
func closeFD(fd int) error {
	if _, _, errno := unix.RawSyscall(unix.SYS_CLOSE, uintptr(fd), 0, 0); errno != 0 {
		return os.NewSyscallError("close", errno)
	}
	return nil
}
