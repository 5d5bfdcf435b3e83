package socket

import (
	"net"
	"net/netip"
	"os"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Listener is a socket that clients connect to. Loops hear of them (Listen).
type Listener struct {
	at netip.AddrPort

	mu sync.RWMutex // held while the number is used: another may have it afterwards
	fd int          // -1: closed
}

// backlog is how many connections may wait to be accepted. The kernel lowers it to
// net.core.somaxconn (listen(2)).
const backlog = 65535

// Listen listens for TCP in the network namespace of its thread.
func Listen(at netip.AddrPort) (*Listener, error) {
	fd, err := NewSocket()
	if err != nil {
		return nil, err
	}
	if err := listen(fd, at); err != nil {
		_ = unix.Close(fd)
		return nil, &net.OpError{Op: "listen", Net: "tcp", Addr: net.TCPAddrFromAddrPort(at), Err: err}
	}
	return &Listener{at: at, fd: fd}, nil
}

func listen(fd int, at netip.AddrPort) error {
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
	return os.NewSyscallError("listen", unix.Listen(fd, backlog))
}

// Addr is where it listens.
func (l *Listener) Addr() netip.AddrPort { return l.at }

// Accept takes the next connection, which is on no loop yet. The error is EAGAIN
// when nobody waits, and net.ErrClosed when the listener is closed.
func (l *Listener) Accept() (*Conn, error) {
	var peer unix.RawSockaddrInet4
	size := uint32(unsafe.Sizeof(peer))
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.fd < 0 {
		return nil, net.ErrClosed
	}
	for {
		fd, _, errno := unix.RawSyscall6(
			unix.SYS_ACCEPT4,
			uintptr(l.fd),
			uintptr(unsafe.Pointer(&peer)),
			uintptr(unsafe.Pointer(&size)), //nolint:gosec // the call keeps no pointer
			unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC,
			0,
			0,
		)
		switch errno {
		case 0:
			port := (*[2]byte)(unsafe.Pointer(&peer.Port)) //nolint:gosec // it is in the network's order
			return newConn(
				int(fd),
				netip.AddrPortFrom(netip.AddrFrom4(peer.Addr), uint16(port[0])<<8|uint16(port[1])),
			), nil
		case unix.EINTR, unix.ECONNABORTED: // the next, then
		case unix.EAGAIN:
			return nil, unix.EAGAIN
		default:
			return nil, os.NewSyscallError("accept", errno)
		}
	}
}

// Close frees the port. Clients that wait to be accepted are refused.
func (l *Listener) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fd < 0 {
		return net.ErrClosed
	}
	fd := l.fd
	l.fd = -1
	return unix.Close(fd)
}

// WatchListener calls come, on the loop, whenever clients may wait at the listener. Of
// several loops the kernel tells one that has nothing to do (epoll_ctl(2):
// EPOLLEXCLUSIVE). It is told again until nobody waits.
func (l *Loop) WatchListener(to *Listener, come func()) error {
	to.mu.RLock()
	defer to.mu.RUnlock()
	if to.fd < 0 {
		return net.ErrClosed
	}
	return l.add(to.fd, unix.EPOLLIN|unix.EPOLLEXCLUSIVE, slot{callback: come})
}

// UnwatchListener ends that.
func (l *Loop) UnwatchListener(to *Listener) {
	to.mu.RLock()
	defer to.mu.RUnlock()
	if to.fd >= 0 {
		l.remove(to.fd)
	}
}
