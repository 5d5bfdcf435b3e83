//go:build linux

package socket

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// NewSocket creates a TCP socket of a family in the network namespace of the calling thread.
func NewSocket(family Family) (int, error) {
	if family != IPv4 && family != IPv6 { // the number may be another process's
		return -1, os.NewSyscallError("socket", unix.EAFNOSUPPORT)
	}
	fd, err := unix.Socket(int(family), unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	return fd, os.NewSyscallError("socket", err)
}

// Bind binds a socket of NewSocket to the address, which is of its family, and any port.
func Bind(fd int, from netip.Addr) error {
	if err := unix.Bind(fd, sockaddr(netip.AddrPortFrom(from, 0))); err != nil {
		return fmt.Errorf("from %s: %w", from, os.NewSyscallError("bind", err))
	}
	return nil
}

// Dial connects a socket and returns when it is connected or ctx ends. It takes ownership
// of the socket, even if it fails. With a loop it must be called by one of the loop's
// tasks, and the connection is on the loop; with nil it is on none.
func Dial(ctx context.Context, l *Loop, fd int, from netip.Addr, to netip.AddrPort) (*Conn, error) {
	return connectBound(ctx, l, fd, func() error { return Bind(fd, from) }, to)
}

func connectBound(ctx context.Context, l *Loop, fd int, bind func() error, to netip.AddrPort) (*Conn, error) {
	c := newConn(fd, to)
	c.loop = l
	err := c.dial(ctx, bind)
	if err != nil {
		_ = c.Close()
		return nil, &net.OpError{Op: "dial", Net: "tcp", Addr: net.TCPAddrFromAddrPort(to), Err: err}
	}
	return c, nil
}

func (c *Conn) dial(ctx context.Context, bind func() error) error {
	for _, option := range []struct{ level, name int }{
		{unix.IPPROTO_TCP, unix.TCP_NODELAY},
		// Without it, bind would search for a port that is free for every destination.
		{unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT},
	} {
		if err := unix.SetsockoptInt(c.fd, option.level, option.name, 1); err != nil {
			return os.NewSyscallError("setsockopt", err)
		}
	}
	if err := bind(); err != nil {
		return err
	}
	return c.connect(ctx)
}

// connect returns when the socket is connected or ctx ends. A peer on the same host has
// answered when connect(2) returns.
func (c *Conn) connect(ctx context.Context) error {
	errno := connect(c.fd, c.remote)
	switch {
	case errno == 0:
		c.ready = writable // nothing has arrived yet
		return nil
	case errno != unix.EINPROGRESS:
		return os.NewSyscallError("connect", errno)
	}
	if err := c.waitConnected(ctx); err != nil {
		return err
	}
	code, err := unix.GetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err == nil && code != 0 {
		err = unix.Errno(code)
	}
	return os.NewSyscallError("connect", err)
}

// waitConnected waits until the peer has accepted or refused, or ctx ends.
func (c *Conn) waitConnected(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })
	c.ready = 0
	err := c.waitReady(writable|writeClosed, nil)
	if !stop() {
		return context.Cause(ctx)
	}
	return err
}
