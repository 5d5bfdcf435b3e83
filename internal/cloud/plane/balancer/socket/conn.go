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
	loop        *Loop // nil: it is on none; written under mu
	fd          int
	parked      *Task  // waits for it
	onReady     Server // is served when there may be something to read; nil: nobody waits so
	ready       uint32
	registered  bool
	pending     bool        // a batch holds something that is to be sent
	blocking    bool        // in the hands of a goroutine: see Task.Away
	hasDeadline atomic.Bool // there is a deadline

	mu     sync.Mutex
	closed bool
	dup    *os.File // nil: the poller does not know it
	raw    syscall.RawConn
	read   deadline
	write  deadline

	remote netip.AddrPort
}

// Events (epoll_ctl(2)). The ends of a connection are told once and stay.
const (
	readable    = unix.EPOLLIN
	writable    = unix.EPOLLOUT
	writeClosed = unix.EPOLLHUP | unix.EPOLLERR // no more can be written
	readClosed  = unix.EPOLLRDHUP | writeClosed // no more will come
)

// newConn is a connection of which nothing is known: it may be readable and
// writable.
func newConn(fd int, remote netip.AddrPort) *Conn {
	return &Conn{fd: fd, remote: remote, ready: readable | writable}
}

// Attach puts a connection on the loop on whose goroutine it is called.
func (c *Conn) Attach(l *Loop) { c.returnToLoop(l) }

// returnToLoop takes the connection back from the runtime's poller.
func (c *Conn) returnToLoop(to *Loop) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.loop, c.blocking = to, false
	if c.dup != nil {
		_ = c.dup.Close()
		c.dup, c.raw = nil, nil
		c.registered, c.ready = false, readable|writable
	}
	c.armTimer(&c.read)
	c.armTimer(&c.write)
}

// onLoop tells who waits.
func (c *Conn) onLoop() bool { return c.loop != nil && !c.blocking }

// wake lets those look who wait.
func (c *Conn) wake() {
	switch {
	case c.parked != nil:
		c.loop.resume(c.parked)
	case c.onReady != nil:
		s := c.onReady
		c.onReady = nil
		c.loop.active--
		c.loop.Start(s)
	}
}

// ErrNotReady says that nothing is there yet, and that somebody will be served when
// there may be.
var ErrNotReady = errors.New("the connection is not ready")

// waitOnLoop returns when the connection may be readable or writable: when one of the
// events has come. With somebody to be served then, it does not wait.
func (c *Conn) waitOnLoop(what uint32, then Server) error {
	l := c.loop
	for {
		if c.hasDeadline.Load() && c.deadlinePassed(what) {
			return os.ErrDeadlineExceeded
		}
		if c.ready&what != 0 {
			if l.streak++; l.streak > maxStreak {
				l.current.yieldTurn()
				continue
			}
			return nil
		}
		if err := c.register(); err != nil {
			return err
		}
		if then != nil {
			c.onReady = then
			l.active++
			return ErrNotReady
		}
		c.parked = l.current
		c.parked.pause()
		c.parked = nil
	}
}

// register has the loop hear of the connection, if it does not yet.
func (c *Conn) register() error {
	if c.registered {
		return nil
	}
	err := c.loop.add(c.fd, readable|writable|unix.EPOLLRDHUP|unix.EPOLLET, slot{conn: c})
	c.registered = err == nil
	return err
}

// WaitRead returns when there may be something to read. When a loop would have to wait
// and then is not nil, the error is ErrLater, and then is served in time. That leaves
// nothing behind while nothing comes, not even a stack.
func (c *Conn) WaitRead(then Server) error { return c.waitReady(readable|readClosed, then) }

// waitReady returns when the connection may be readable or writable.
func (c *Conn) waitReady(what uint32, then Server) error {
	if c.onLoop() {
		return c.waitOnLoop(what, then)
	}
	c.mu.Lock()
	closed := c.closed
	c.mu.Unlock()
	switch {
	case closed:
		return net.ErrClosed
	case c.poll(what):
		return nil
	}
	if _, err := c.pollerFile(); err != nil {
		return err
	}
	wait := c.raw.Read
	if what&writable != 0 {
		wait = c.raw.Write
	}
	return wait(func(uintptr) bool { return c.poll(what) })
}

// poll asks the kernel.
func (c *Conn) poll(what uint32) bool {
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
		return 0, c.clearReady(readable, readClosed, io.EOF)
	case errno != 0:
		return 0, os.NewSyscallError("recv", errno)
	case n == 0 && len(p) > 0:
		return 0, io.EOF
	case n < len(p) && c.onLoop():
		c.ready &^= readable // what comes later is told anew (epoll(7), question 9)
	}
	return n, nil
}

// clearReady notes what cannot be done now. The error is ErrLater, or that of what has
// come to its end.
func (c *Conn) clearReady(what, end uint32, ended error) error {
	if c.onLoop() {
		c.ready &^= what
		if c.ready&end != 0 {
			return ended
		}
	}
	return ErrNotReady
}

// Read waits for bytes.
func (c *Conn) Read(p []byte) (n int, err error) {
	if !c.onLoop() {
		file, err := c.pollerFile()
		if err != nil {
			return 0, err
		}
		return file.Read(p)
	}
	for {
		if err := c.WaitRead(nil); err != nil {
			return 0, err
		}
		if n, err := c.TryRead(p); err != ErrNotReady { //nolint:errorlint // it comes bare
			return n, err
		}
	}
}

// Write waits until all bytes are with the kernel.
func (c *Conn) Write(p []byte) (n int, err error) {
	if !c.onLoop() {
		file, err := c.pollerFile()
		if err != nil {
			return 0, err
		}
		return file.Write(p)
	}
	if err := c.flushPending(); err != nil {
		return 0, err
	}
	for n < len(p) {
		if err := c.waitOnLoop(writable|writeClosed, nil); err != nil {
			return n, err
		}
		switch sent, errno := send(c.fd, p[n:]); errno {
		case 0:
			n += sent
		case unix.EAGAIN:
			if err := c.clearReady(writable, writeClosed, unix.EPIPE); err != ErrNotReady { //nolint:errorlint // it comes bare
				return n, err
			}
		default:
			return n, os.NewSyscallError("send", errno)
		}
	}
	return n, nil
}

// pollerFile is the double, which the runtime's poller knows.
func (c *Conn) pollerFile() (*os.File, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, net.ErrClosed
	}
	if c.dup != nil {
		return c.dup, nil
	}
	if c.registered {
		c.loop.remove(c.fd)
		c.registered = false
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
	c.dup, c.raw = double, raw
	c.read.stop()
	c.write.stop()
	return double, errors.Join(double.SetReadDeadline(c.read.at), double.SetWriteDeadline(c.write.at))
}

// Reusable tells whether the peer has neither closed the connection nor sent anything
// that was not read. A loop has been told; else one that was used just now is taken
// to be open, and the kernel is asked for others.
func (c *Conn) Reusable(justNow bool) bool {
	switch {
	case !c.onLoop() && justNow, c.registered && c.ready&(readable|readClosed) == 0:
		return true
	case c.ready&readClosed != 0:
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

// Shutdown ends the connection for whoever uses it. Its owner still has to close it.
func (c *Conn) Shutdown() {
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
	if c.dup != nil {
		_ = c.dup.Close()
	}
	return closeFD(c.fd)
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

// RemoteAddrPort is RemoteAddr as it is.
func (c *Conn) RemoteAddrPort() netip.AddrPort { return c.remote }
