package balancer

import (
	"io"
	"net"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// rawRead and rawWrite are recv(2) and send(2) on a non-blocking socket. As they
// never wait, the runtime need not be told, which costs as much as a short system
// call itself; read(2) and write(2) go through the file system's layer first, and
// touch what a server of thousands of connections has not in its caches
// (measured by bench/balancer).
func rawRead(fd uintptr, p []byte) (int, syscall.Errno) {
	return transfer(unix.SYS_RECVFROM, fd, p, 0)
}

func rawWrite(fd uintptr, p []byte) (int, syscall.Errno) {
	return transfer(unix.SYS_SENDTO, fd, p, unix.MSG_NOSIGNAL)
}

func transfer(call, fd uintptr, p []byte, flags uintptr) (int, syscall.Errno) {
	for {
		n, _, errno := unix.RawSyscall6(call, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), flags, 0, 0) //nolint:gosec // the call keeps no pointer
		if errno == unix.EINTR {
			continue
		}
		if errno != 0 {
			return 0, errno
		}
		return int(n), 0
	}
}

// peek looks whether a read would find something.
func peek(fd uintptr) syscall.Errno {
	var b [1]byte
	_, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(&b)), 1, unix.MSG_PEEK|unix.MSG_DONTWAIT, 0, 0) //nolint:gosec // as above
	return errno
}

// rawOf is the way around net.Conn to a plain TCP socket; nil: there is
// something between, as TLS.
func rawOf(conn net.Conn) syscall.RawConn {
	plain, ok := conn.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := plain.SyscallConn()
	if err != nil {
		return nil
	}
	return raw
}

// writer writes to a connection.
type writer struct {
	conn net.Conn
	raw  syscall.RawConn
	step func(fd uintptr) bool
	rest []byte
	err  error
}

func newWriter(conn net.Conn, raw syscall.RawConn) *writer {
	w := &writer{conn: conn, raw: raw}
	w.step = w.write
	return w
}

func (w *writer) Write(p []byte) (int, error) {
	if w.raw == nil {
		return w.conn.Write(p)
	}
	w.rest, w.err = p, nil
	err := w.raw.Write(w.step)
	n := len(p) - len(w.rest)
	w.rest = nil
	if err == nil {
		err = w.err
	}
	return n, err
}

// write is tried whenever the socket may take bytes.
func (w *writer) write(fd uintptr) bool {
	for len(w.rest) > 0 {
		n, errno := rawWrite(fd, w.rest)
		if errno == unix.EAGAIN {
			return false
		}
		if errno != 0 {
			w.err = errno
			return true
		}
		if n == 0 {
			w.err = io.ErrUnexpectedEOF
			return true
		}
		w.rest = w.rest[n:]
	}
	return true
}
