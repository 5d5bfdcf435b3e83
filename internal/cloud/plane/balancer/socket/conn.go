//go:build linux

// Package socket provides the balancer's TCP connections. It leaves out what
// the standard library does for every connection and a load balancer seldom needs. Loops
// serve most connections as tasks. Where a loop cannot wait, another goroutine can use the
// same connections like any others.
package socket

import (
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// Conn is a TCP connection. One goroutine or task uses it at a time; any goroutine may
// set its deadlines or shut it down.
//
// A connection on a loop is registered with it the first time that it has to wait; a
// client that sends one request and leaves never is. A connection off a loop waits in the
// runtime's poller, which gets a duplicate of the socket.
type Conn struct {
	// Every read and write needs the fields up to hasDeadline, so they share a cache line.
	// All but fd and hasDeadline belong to the loop's goroutine.
	loop        *Loop // nil: none; written under mu
	fd          int
	parked      *Task  // waits for the connection
	onReady     Server // to be served when the connection may be readable; nil: none
	ready       uint32 // events not used up yet
	registered  bool   // with loop
	pending     bool   // a batch has a message for it
	blocking    bool   // a goroutine uses it: see Task.RunBlocking
	hasDeadline atomic.Bool

	mu     sync.Mutex
	closed bool
	dup    *os.File // of the socket, in the runtime's poller; nil: none
	raw    syscall.RawConn
	read   deadline
	write  deadline

	remote netip.AddrPort
}

// The events of a connection (epoll_ctl(2)). Those of its end are reported once and stay
// in Conn.ready.
const (
	readable    = unix.EPOLLIN
	writable    = unix.EPOLLOUT
	writeClosed = unix.EPOLLHUP | unix.EPOLLERR // nothing more can be written
	readClosed  = unix.EPOLLRDHUP | writeClosed // nothing more will arrive
)

// newConn returns a connection that may be readable and writable.
func newConn(fd int, remote netip.AddrPort) *Conn {
	return &Conn{fd: fd, remote: remote, ready: readable | writable}
}

// Attach puts the connection on a loop. It must be called on the loop's goroutine.
func (c *Conn) Attach(l *Loop) { c.returnToLoop(l) }

// returnToLoop puts the connection on a loop, and takes it out of the runtime's poller.
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

// onLoop reports whether the loop waits for the connection, and not the runtime's poller.
func (c *Conn) onLoop() bool { return c.loop != nil && !c.blocking }

// Reusable reports whether the peer has neither closed the connection nor sent anything
// unread. On a loop the last events decide. Elsewhere a connection that was used just now
// counts as reusable; for others Reusable queries the socket.
func (c *Conn) Reusable(justNow bool) bool {
	switch {
	case !c.onLoop() && justNow, c.registered && c.ready&(readable|readClosed) == 0:
		return true
	case c.ready&readClosed != 0:
		return false
	}
	return peek(c.fd) == unix.EAGAIN
}

// Control calls do with the socket, which stays open until do returns.
func (c *Conn) Control(do func(fd uintptr)) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return net.ErrClosed
	}
	do(uintptr(c.fd))
	return nil
}

// Shutdown ends the connection in both directions (shutdown(2)). Its user sees that it
// has ended; its owner still has to close it.
func (c *Conn) Shutdown() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		_ = unix.Shutdown(c.fd, unix.SHUT_RDWR) // fails when the peer has ended it
	}
}

// CloseWrite ends the connection's writing direction: the peer reads EOF.
func (c *Conn) CloseWrite() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return net.ErrClosed
	}
	return unix.Shutdown(c.fd, unix.SHUT_WR)
}

// Close closes the socket.
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

// LocalAddr returns the local address, or an empty one if the connection is closed.
func (c *Conn) LocalAddr() net.Addr {
	var at net.TCPAddr
	_ = c.Control(func(fd uintptr) {
		if name, err := unix.Getsockname(int(fd)); err == nil {
			switch name := name.(type) {
			case *unix.SockaddrInet4:
				at = net.TCPAddr{IP: name.Addr[:], Port: name.Port}
			case *unix.SockaddrInet6:
				at = net.TCPAddr{IP: name.Addr[:], Port: name.Port}
			}
		}
	})
	return &at
}

// RemoteAddr returns the peer's address.
func (c *Conn) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(c.remote) }

// RemoteAddrPort returns the peer's address without allocating.
func (c *Conn) RemoteAddrPort() netip.AddrPort { return c.remote }
