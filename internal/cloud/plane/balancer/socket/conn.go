// Package socket has the connections of the balancer: TCP over IPv4, without what
// the standard library does for every connection and a load balancer seldom needs.
// Most are served by loops, as tasks. What loops cannot wait for, other goroutines
// do, to which the same connections are as any others.
package socket

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// Conn is a TCP connection. One goroutine or task uses it; any may set deadlines or
// cut it.
//
// Who has to wait for it depends. On a loop, the loop does, from the first time on
// that it is necessary: for a client that sends one request and goes, never. Off a
// loop the runtime's poller does, which gets to know a double of the socket.
type Conn struct {
	// What every read and write needs comes first, on one cache line. But for fd and
	// bounded, it is the loop's, on whose goroutine it is used.
	loop    *Loop // nil: it is on none; written under mu
	fd      int
	parked  *Task  // waits for it
	then    Server // is served when there may be something to read; nil: nobody waits so
	ready   uint32
	watched bool
	owes    bool        // a batch holds something that is to be sent
	away    bool        // in the hands of a goroutine: see Task.Away
	bounded atomic.Bool // there is a deadline

	mu     sync.Mutex
	closed bool
	double *os.File // nil: the poller does not know it
	raw    syscall.RawConn
	read   deadline
	write  deadline

	remote netip.AddrPort
}

// Events (epoll_ctl(2)). The ends of a connection are told once and stay.
const (
	readable = unix.EPOLLIN
	writable = unix.EPOLLOUT
	broken   = unix.EPOLLHUP | unix.EPOLLERR // no more can be written
	ended    = unix.EPOLLRDHUP | broken      // no more will come
)

// newConn is a connection of which nothing is known: it may be readable and
// writable.
func newConn(fd int, remote netip.AddrPort) *Conn {
	return &Conn{fd: fd, remote: remote, ready: readable | writable}
}

// Join puts a connection on the loop on whose goroutine it is called.
func (c *Conn) Join(l *Loop) { c.home(l) }

// home takes the connection back from the runtime's poller.
func (c *Conn) home(to *Loop) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.loop, c.away = to, false
	if c.double != nil {
		_ = c.double.Close()
		c.double, c.raw = nil, nil
		c.watched, c.ready = false, readable|writable
	}
	c.arm(&c.read)
	c.arm(&c.write)
}

// onLoop tells who waits.
func (c *Conn) onLoop() bool { return c.loop != nil && !c.away }

// look lets those look who wait.
func (c *Conn) look() {
	switch {
	case c.parked != nil:
		c.loop.resume(c.parked)
	case c.then != nil:
		s := c.then
		c.then = nil
		c.loop.active--
		c.loop.Serve(s)
	}
}

// ErrLater says that nothing is there yet, and that somebody will be served when
// there may be.
var ErrLater = errors.New("the connection is not ready")

// wait returns when the connection may be readable or writable: when one of the
// events has come. With somebody to be served then, it does not wait.
func (c *Conn) wait(what uint32, then Server) error {
	l := c.loop
	for {
		if c.bounded.Load() && c.late(what) {
			return os.ErrDeadlineExceeded
		}
		if c.ready&what != 0 {
			if l.streak++; l.streak > maxStreak {
				l.current.makeWay()
				continue
			}
			return nil
		}
		if err := c.watch(); err != nil {
			return err
		}
		if then != nil {
			c.then = then
			l.active++
			return ErrLater
		}
		c.parked = l.current
		c.parked.pause()
		c.parked = nil
	}
}

// watch has the loop hear of the connection, if it does not yet.
func (c *Conn) watch() error {
	if c.watched {
		return nil
	}
	err := c.loop.add(c.fd, readable|writable|unix.EPOLLRDHUP|unix.EPOLLET, slot{conn: c})
	c.watched = err == nil
	return err
}

// WaitRead returns when there may be something to read. When a loop would have to wait
// and then is not nil, the error is ErrLater, and then is served in time. That leaves
// nothing behind while nothing comes, not even a stack.
func (c *Conn) WaitRead(then Server) error { return c.await(readable|ended, then) }

// await returns when the connection may be readable or writable.
func (c *Conn) await(what uint32, then Server) error {
	if c.onLoop() {
		return c.wait(what, then)
	}
	c.mu.Lock()
	closed := c.closed
	c.mu.Unlock()
	switch {
	case closed:
		return net.ErrClosed
	case c.may(what):
		return nil
	}
	if _, err := c.polled(); err != nil {
		return err
	}
	wait := c.raw.Read
	if what&writable != 0 {
		wait = c.raw.Write
	}
	return wait(func(uintptr) bool { return c.may(what) })
}

// may asks the kernel.
func (c *Conn) may(what uint32) bool {
	asked := []unix.PollFd{
		{Fd: int32(c.fd), Events: int16(what)},
	} //nolint:gosec // both fit; poll(2) and epoll_ctl(2) have the same bits
	for {
		n, err := unix.Poll(asked, 0)
		if err != unix.EINTR {
			return n > 0 || err != nil // who tries will see
		}
	}
}

// TryRead reads what is there (recv(2)); nothing yet is ErrLater.
func (c *Conn) TryRead(p []byte) (int, error) {
	n, errno := receive(c.fd, p)
	switch {
	case errno == unix.EAGAIN:
		return 0, c.unready(readable, ended, io.EOF)
	case errno != 0:
		return 0, os.NewSyscallError("recv", errno)
	case n == 0 && len(p) > 0:
		return 0, io.EOF
	case n < len(p) && c.onLoop():
		c.ready &^= readable // what comes later is told anew (epoll(7), question 9)
	}
	return n, nil
}

// unready notes what cannot be done now. The error is ErrLater, or that of what has
// come to its end.
func (c *Conn) unready(what, end uint32, ended error) error {
	if c.onLoop() {
		c.ready &^= what
		if c.ready&end != 0 {
			return ended
		}
	}
	return ErrLater
}

// Read waits for bytes.
func (c *Conn) Read(p []byte) (n int, err error) {
	if !c.onLoop() {
		file, err := c.polled()
		if err != nil {
			return 0, err
		}
		return file.Read(p)
	}
	for {
		if err := c.WaitRead(nil); err != nil {
			return 0, err
		}
		if n, err := c.TryRead(p); err != ErrLater { //nolint:errorlint // it comes bare
			return n, err
		}
	}
}

// Write waits until all bytes are with the kernel.
func (c *Conn) Write(p []byte) (n int, err error) {
	if !c.onLoop() {
		file, err := c.polled()
		if err != nil {
			return 0, err
		}
		return file.Write(p)
	}
	if err := c.settle(); err != nil {
		return 0, err
	}
	for n < len(p) {
		if err := c.wait(writable|broken, nil); err != nil {
			return n, err
		}
		switch sent, errno := send(c.fd, p[n:]); errno {
		case 0:
			n += sent
		case unix.EAGAIN:
			if err := c.unready(writable, broken, unix.EPIPE); err != ErrLater { //nolint:errorlint // it comes bare
				return n, err
			}
		default:
			return n, os.NewSyscallError("send", errno)
		}
	}
	return n, nil
}

// polled is the double, which the runtime's poller knows.
func (c *Conn) polled() (*os.File, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, net.ErrClosed
	}
	if c.double != nil {
		return c.double, nil
	}
	if c.watched {
		c.loop.remove(c.fd)
		c.watched = false
	}
	fd, err := unix.FcntlInt(uintptr(c.fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	double := os.NewFile(uintptr(fd), c.remote.String())
	raw, err := double.SyscallConn()
	if err != nil {
		return nil, errors.Join(err, double.Close())
	}
	c.double, c.raw = double, raw
	c.read.stop()
	c.write.stop()
	return double, errors.Join(double.SetReadDeadline(c.read.at), double.SetWriteDeadline(c.write.at))
}

// Open tells whether the peer has neither closed the connection nor sent anything
// that was not read. A loop has been told; else one that was used just now is taken
// to be open, and the kernel is asked for others.
func (c *Conn) Open(justNow bool) bool {
	switch {
	case !c.onLoop() && justNow, c.watched && c.ready&(readable|ended) == 0:
		return true
	case c.ready&ended != 0:
		return false
	}
	return peek(c.fd) == unix.EAGAIN
}

// Control does something with the socket, which stays open meanwhile.
func (c *Conn) Control(do func(fd uintptr)) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return net.ErrClosed
	}
	do(uintptr(c.fd))
	return nil
}

// Cut ends the connection for whoever uses it. Its owner still has to close it.
func (c *Conn) Cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		_ = unix.Shutdown(c.fd, unix.SHUT_RDWR) // fails when the peer has done so
	}
}

// CloseWrite tells the peer that no more will come.
func (c *Conn) CloseWrite() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return net.ErrClosed
	}
	return unix.Shutdown(c.fd, unix.SHUT_WR)
}

// Close frees the socket.
func (c *Conn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return net.ErrClosed
	}
	c.closed = true
	c.read.stop()
	c.write.stop()
	if c.double != nil {
		_ = c.double.Close()
	}
	return shut(c.fd)
}

// LocalAddr is this side's address; none when the connection is closed.
func (c *Conn) LocalAddr() net.Addr {
	var at net.TCPAddr
	_ = c.Control(func(fd uintptr) {
		if name, err := unix.Getsockname(int(fd)); err == nil {
			if v4, ok := name.(*unix.SockaddrInet4); ok {
				at = net.TCPAddr{IP: v4.Addr[:], Port: v4.Port}
			}
		}
	})
	return &at
}

// RemoteAddr is the peer's.
func (c *Conn) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(c.remote) }

// Peer is RemoteAddr as it is.
func (c *Conn) Peer() netip.AddrPort { return c.remote }
