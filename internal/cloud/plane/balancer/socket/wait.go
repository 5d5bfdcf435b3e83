//go:build linux

package socket

import (
	"errors"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// ErrNotReady is returned when a connection is not readable yet. If a Server was given,
// it will be served when the connection may be readable.
var ErrNotReady = errors.New("the connection is not ready")

// WaitRead returns when the connection may be readable. If next is not nil and a loop
// would have to wait, the error is ErrNotReady and the loop serves next later. Until then
// the connection occupies no task and no stack.
func (c *Conn) WaitRead(next Server) error { return c.waitReady(readable|readClosed, next) }

// waitReady returns when one of the events may have come.
func (c *Conn) waitReady(events uint32, next Server) error {
	if c.onLoop() {
		return c.waitOnLoop(events, next)
	}
	c.mu.Lock()
	closed := c.closed
	c.mu.Unlock()
	switch {
	case closed:
		return net.ErrClosed
	case c.poll(events):
		return nil
	}
	if _, err := c.pollerFile(); err != nil {
		return err
	}
	wait := c.raw.Read
	if events&writable != 0 {
		wait = c.raw.Write
	}
	return wait(func(uintptr) bool { return c.poll(events) })
}

// waitOnLoop returns when one of the events may have come. With next it does not wait.
func (c *Conn) waitOnLoop(events uint32, next Server) error {
	l := c.loop
	for {
		if c.hasDeadline.Load() && c.deadlinePassed(events) {
			return os.ErrDeadlineExceeded
		}
		if c.ready&events != 0 {
			if l.streak++; l.streak > maxStreak {
				l.current.yieldTurn()
				continue
			}
			return nil
		}
		if err := c.register(); err != nil {
			return err
		}
		if next != nil {
			c.onReady = next
			l.active++
			return ErrNotReady
		}
		c.parked = l.current
		c.parked.pause()
		c.parked = nil
	}
}

// wake resumes the task that waits for the connection, or starts the Server that does.
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

// register makes the loop receive the connection's events.
func (c *Conn) register() error {
	if c.registered {
		return nil
	}
	err := c.loop.add(c.fd, readable|writable|unix.EPOLLRDHUP|unix.EPOLLET, slot{conn: c})
	c.registered = err == nil
	return err
}

// poll reports whether one of the events has come (poll(2)).
func (c *Conn) poll(events uint32) bool {
	// Both conversions fit. poll(2) and epoll_ctl(2) use the same bits.
	fds := []unix.PollFd{{Fd: int32(c.fd), Events: int16(events)}} //nolint:gosec // see above
	for {
		n, err := unix.Poll(fds, 0)
		if err != unix.EINTR {
			return n > 0 || err != nil // the next read or write returns the error
		}
	}
}

// clearReady records that the connection is not ready for events. It returns ErrNotReady,
// or endErr if one of the end events has come.
func (c *Conn) clearReady(events, end uint32, endErr error) error {
	if c.onLoop() {
		c.ready &^= events
		if c.ready&end != 0 {
			return endErr
		}
	}
	return ErrNotReady
}

// pollerFile returns a duplicate of the socket in the runtime's poller, and creates it if
// needed.
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
	dup := os.NewFile(uintptr(fd), c.remote.String())
	raw, err := dup.SyscallConn()
	if err != nil {
		return nil, errors.Join(err, dup.Close())
	}
	c.dup, c.raw = dup, raw
	c.read.stop()
	c.write.stop()
	return dup, errors.Join(dup.SetReadDeadline(c.read.at), dup.SetWriteDeadline(c.write.at))
}
