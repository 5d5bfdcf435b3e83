package socket

import (
	"encoding/binary"
	"net/netip"
	"os"
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
		n, _, errno := unix.RawSyscall6(
			call,
			uintptr(fd),
			uintptr(unsafe.Pointer(unsafe.SliceData(p))),
			uintptr(len(p)),
			flags,
			0,
			0,
		) //nolint:gosec // the call keeps no pointer
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
	_, _, errno := unix.RawSyscall6(
		unix.SYS_RECVFROM,
		uintptr(fd),
		uintptr(unsafe.Pointer(&b)),
		1,
		unix.MSG_PEEK|unix.MSG_DONTWAIT,
		0,
		0,
	) //nolint:gosec // as above
	return errno
}

// connect is connect(2) of a non-blocking TCP socket. To a peer on the same host, which
// has answered when the call returns, it takes as long as shut.
func connect(fd int, to netip.AddrPort) syscall.Errno {
	at := unix.RawSockaddrInet4{Family: unix.AF_INET, Addr: to.Addr().As4()}
	binary.BigEndian.PutUint16(
		(*[2]byte)(unsafe.Pointer(&at.Port))[:],
		to.Port(),
	) //nolint:gosec // it is in the network's order
	_, _, errno := unix.RawSyscall(
		unix.SYS_CONNECT,
		uintptr(fd),
		uintptr(unsafe.Pointer(&at)),
		unix.SizeofSockaddrInet4,
	) //nolint:gosec // the call keeps no pointer
	return errno
}

// closeFD is close(2) of a TCP socket. As what is left to be sent is sent without it, it
// does not wait either; but it says goodbye to the peer, which takes long enough for
// the runtime to take the processor away.
func closeFD(fd int) error {
	if _, _, errno := unix.RawSyscall(unix.SYS_CLOSE, uintptr(fd), 0, 0); errno != 0 {
		return os.NewSyscallError("close", errno)
	}
	return nil
}
