//go:build linux

package socket

import (
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// TryRead reads what has arrived (recv(2)). If nothing has, the error is ErrNotReady.
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
		c.ready &^= readable // a new event reports what arrives later (epoll(7), question 9)
	}
	return n, nil
}

// Read waits for bytes and reads what has arrived.
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
		if n, err := c.TryRead(p); err != ErrNotReady { //nolint:errorlint // never wrapped
			return n, err
		}
	}
}

// Write waits until the kernel has accepted all bytes.
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
			err := c.clearReady(writable, writeClosed, unix.EPIPE)
			if err != ErrNotReady { //nolint:errorlint // never wrapped
				return n, err
			}
		default:
			return n, os.NewSyscallError("send", errno)
		}
	}
	return n, nil
}
