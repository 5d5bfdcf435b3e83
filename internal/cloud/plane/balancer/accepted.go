package balancer

import (
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// accepted is a client's socket. The runtime's poller gets to know it when it has
// to wait for the first time. A client that sends one request and goes never lets
// it: that saves five of eleven system calls (measured by bench/balancer).
//
// Until then, what its owner reads and writes is not guarded against a close by
// others. So only the owner closes it; others cut it.
type accepted struct {
	from netip.AddrPort
	at   net.Addr

	mu     sync.Mutex
	fd     int
	file   *os.File        // nil: the poller does not know it
	raw    syscall.RawConn // of file
	closed bool
}

// polled is the socket with the poller behind it.
func (a *accepted) polled() (*os.File, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return nil, net.ErrClosed
	}
	if a.file == nil {
		file := os.NewFile(uintptr(a.fd), "client")
		raw, err := file.SyscallConn()
		if err != nil {
			return nil, err
		}
		a.file, a.raw = file, raw
	}
	return a.file, nil
}

// cut ends the connection for whoever uses it. Its owner still has to close it.
func (a *accepted) cut() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.closed {
		_ = unix.Shutdown(a.fd, unix.SHUT_RDWR) // fails when the peer has done so
	}
}

// Close frees the socket.
func (a *accepted) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return net.ErrClosed
	}
	a.closed = true
	if a.file != nil {
		return a.file.Close()
	}
	return unix.Close(a.fd)
}

// Read waits for bytes.
func (a *accepted) Read(p []byte) (int, error) {
	file, err := a.polled()
	if err != nil {
		return 0, err
	}
	return file.Read(p)
}

// Write waits until all bytes are with the kernel.
func (a *accepted) Write(p []byte) (int, error) {
	file, err := a.polled()
	if err != nil {
		return 0, err
	}
	return file.Write(p)
}

// ReadFrom moves bytes of a TCP connection inside the kernel.
func (a *accepted) ReadFrom(r io.Reader) (int64, error) {
	file, err := a.polled()
	if err != nil {
		return 0, err
	}
	return file.ReadFrom(r)
}

// CloseWrite tells the peer that no more will come.
func (a *accepted) CloseWrite() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return net.ErrClosed
	}
	return unix.Shutdown(a.fd, unix.SHUT_WR)
}

// LocalAddr is the address that the listener was bound to.
func (a *accepted) LocalAddr() net.Addr { return a.at }

// RemoteAddr is the client's.
func (a *accepted) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(a.from) }

// SetDeadline bounds reads and writes.
func (a *accepted) SetDeadline(t time.Time) error { return a.bound(t, (*os.File).SetDeadline) }

// SetReadDeadline bounds reads.
func (a *accepted) SetReadDeadline(t time.Time) error { return a.bound(t, (*os.File).SetReadDeadline) }

// SetWriteDeadline bounds writes.
func (a *accepted) SetWriteDeadline(t time.Time) error {
	return a.bound(t, (*os.File).SetWriteDeadline)
}

func (a *accepted) bound(t time.Time, set func(*os.File, time.Time) error) error {
	file, err := a.polled()
	if err != nil {
		return err
	}
	return set(file, t)
}

// SyscallConn is the way to the socket itself.
func (a *accepted) SyscallConn() (syscall.RawConn, error) { return (*unpolled)(a), nil }

// unpolled tries without the poller first. Only the owner reads and writes.
type unpolled accepted

// Control does something with the socket, which stays open meanwhile.
func (u *unpolled) Control(do func(fd uintptr)) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.closed {
		return net.ErrClosed
	}
	do(uintptr(u.fd))
	return nil
}

// Read tries until there was something to read.
func (u *unpolled) Read(try func(fd uintptr) bool) error {
	raw, err := u.unless(try)
	if raw == nil {
		return err
	}
	return raw.Read(try)
}

// Write tries until there was room to write.
func (u *unpolled) Write(try func(fd uintptr) bool) error {
	raw, err := u.unless(try)
	if raw == nil {
		return err
	}
	return raw.Write(try)
}

// unless tries, and returns what waits if that was not enough.
func (u *unpolled) unless(try func(fd uintptr) bool) (syscall.RawConn, error) {
	u.mu.Lock()
	raw, closed := u.raw, u.closed
	u.mu.Unlock()
	switch {
	case closed:
		return nil, net.ErrClosed
	case raw != nil:
		return raw, nil
	case try(uintptr(u.fd)):
		return nil, nil
	}
	if _, err := (*accepted)(u).polled(); err != nil {
		return nil, err
	}
	return u.raw, nil
}
