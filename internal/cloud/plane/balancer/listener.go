package balancer

import (
	"net"
	"net/netip"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// listener is a socket that clients connect to. The standard library's own makes
// four system calls for every connection that it accepts, this one makes one, and
// leaves the rest to when it is needed (accepted).
type listener struct {
	at   *net.TCPAddr
	file *os.File
	raw  syscall.RawConn // of file
	take func(fd uintptr) bool

	peer  unix.RawSockaddrInet4 // of the last that was accepted
	fd    int
	errno syscall.Errno
}

// waiting is how many connections may wait to be accepted. The kernel lowers it to
// net.core.somaxconn (listen(2)).
const waiting = 65535

// listenAt listens for TCP over IPv4. Port 0 is one that is free.
func listenAt(at netip.AddrPort) (*listener, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	l := &listener{at: net.TCPAddrFromAddrPort(at), file: os.NewFile(uintptr(fd), at.String())}
	if err := l.listen(fd, at); err != nil {
		_ = l.file.Close()
		return nil, &net.OpError{Op: "listen", Net: "tcp", Addr: l.at, Err: err}
	}
	return l, nil
}

func (l *listener) listen(fd int, at netip.AddrPort) (err error) {
	for _, option := range []struct{ level, name int }{
		{unix.SOL_SOCKET, unix.SO_REUSEADDR},
		{unix.IPPROTO_TCP, unix.TCP_NODELAY}, // what is accepted inherits it
	} {
		if err := unix.SetsockoptInt(fd, option.level, option.name, 1); err != nil {
			return os.NewSyscallError("setsockopt", err)
		}
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Port: int(at.Port()), Addr: at.Addr().As4()}); err != nil {
		return os.NewSyscallError("bind", err)
	}
	if err := unix.Listen(fd, waiting); err != nil {
		return os.NewSyscallError("listen", err)
	}
	l.take = l.try
	l.raw, err = l.file.SyscallConn()
	return err
}

// accept waits for the next connection. One goroutine may do so.
func (l *listener) accept() (*accepted, error) {
	l.errno = 0
	if err := l.raw.Read(l.take); err != nil {
		return nil, net.ErrClosed
	}
	if l.errno != 0 {
		return nil, os.NewSyscallError("accept", l.errno)
	}
	port := (*[2]byte)(unsafe.Pointer(&l.peer.Port)) //nolint:gosec // it is in the network's order
	from := netip.AddrPortFrom(netip.AddrFrom4(l.peer.Addr), uint16(port[0])<<8|uint16(port[1]))
	return &accepted{fd: l.fd, from: from, at: l.at}, nil
}

// try is tried whenever there may be a connection.
func (l *listener) try(listening uintptr) bool {
	size := uint32(unsafe.Sizeof(l.peer))
	for {
		fd, _, errno := unix.RawSyscall6(unix.SYS_ACCEPT4, listening, uintptr(unsafe.Pointer(&l.peer)), uintptr(unsafe.Pointer(&size)), //nolint:gosec // the call keeps no pointer
			unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0, 0)
		switch errno {
		case unix.EINTR, unix.ECONNABORTED: // the next, then
		case unix.EAGAIN:
			return false
		default:
			l.fd, l.errno = int(fd), errno
			return true
		}
	}
}

// Close frees the port.
func (l *listener) Close() error { return l.file.Close() }
