//go:build linux

package socket

import (
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Listener is a listening TCP socket.
type Listener struct {
	at netip.AddrPort

	mu    sync.RWMutex // held while fd is used: once closed, its number may be reused
	fd    int          // -1: closed
	loops []*Loop      // watch it
}

// NewListener returns the listener for a listening, non-blocking socket, which it owns.
func NewListener(fd int, at netip.AddrPort) *Listener { return &Listener{at: at, fd: fd} }

// Listen listens for TCP connections in the network namespace of the calling thread.
func Listen(at netip.AddrPort) (*Listener, error) {
	fd, err := NewSocket(FamilyOf(at.Addr()))
	if err != nil {
		return nil, err
	}
	if err := listen(fd, sockaddr(at)); err != nil {
		_ = unix.Close(fd)
		return nil, &net.OpError{Op: "listen", Net: "tcp", Addr: net.TCPAddrFromAddrPort(at), Err: err}
	}
	return NewListener(fd, at), nil
}

func listen(fd int, at unix.Sockaddr) error {
	for _, option := range []struct{ level, name int }{
		{unix.SOL_SOCKET, unix.SO_REUSEADDR},
		{unix.IPPROTO_TCP, unix.TCP_NODELAY}, // accepted connections inherit it
	} {
		if err := unix.SetsockoptInt(fd, option.level, option.name, 1); err != nil {
			return os.NewSyscallError("setsockopt", err)
		}
	}
	if err := unix.Bind(fd, at); err != nil {
		return os.NewSyscallError("bind", err)
	}
	return os.NewSyscallError("listen", unix.Listen(fd, backlog))
}

// Addr returns the address that it listens at.
func (l *Listener) Addr() netip.AddrPort { return l.at }

// Accept returns the next connection, on no loop yet. The error is EAGAIN if no client
// waits, and net.ErrClosed if the listener is closed.
func (l *Listener) Accept() (*Conn, error) {
	var peer unix.RawSockaddrInet6 // has room for one of IPv4
	size := uint32(unsafe.Sizeof(peer))
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.fd < 0 {
		return nil, net.ErrClosed
	}
	for {
		//nolint:gosec // the call keeps no pointer
		fd, _, errno := unix.RawSyscall6(unix.SYS_ACCEPT4, uintptr(l.fd), uintptr(unsafe.Pointer(&peer)),
			uintptr(unsafe.Pointer(&size)), unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0, 0)
		switch errno {
		case 0:
			return newConn(int(fd), addrPortOf(&peer)), nil
		case unix.EINTR, unix.ECONNABORTED: // try the next one
		case unix.EAGAIN:
			return nil, unix.EAGAIN
		default:
			return nil, os.NewSyscallError("accept", errno)
		}
	}
}

// Detach closes the listener and returns its socket, which goes on listening.
func (l *Listener) Detach() (fd int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fd < 0 {
		return -1, net.ErrClosed
	}
	fd, l.fd = l.fd, -1
	for _, loop := range l.loops { // another process's duplicate would go on to wake them
		loop.remove(fd)
	}
	l.loops = nil
	return fd, nil
}

// Close frees the port, unless another process has a duplicate of the socket. The kernel
// resets clients that wait to be accepted.
func (l *Listener) Close() error {
	fd, err := l.Detach()
	if err != nil {
		return err
	}
	return unix.Close(fd)
}

// WatchListener calls accept on the loop's goroutine whenever clients may wait at the
// listener, again and again until none does. When several loops watch a listener, the
// kernel notifies one that is waiting (epoll_ctl(2), EPOLLEXCLUSIVE).
func (l *Loop) WatchListener(to *Listener, accept func()) error {
	to.mu.Lock()
	defer to.mu.Unlock()
	if to.fd < 0 {
		return net.ErrClosed
	}
	err := l.add(to.fd, unix.EPOLLIN|unix.EPOLLEXCLUSIVE, slot{callback: accept})
	if err == nil {
		to.loops = append(to.loops, l)
	}
	return err
}

// UnwatchListener undoes WatchListener.
func (l *Loop) UnwatchListener(to *Listener) {
	to.mu.Lock()
	defer to.mu.Unlock()
	if to.fd >= 0 {
		l.remove(to.fd)
		to.loops = slices.DeleteFunc(to.loops, func(other *Loop) bool { return other == l })
	}
}
