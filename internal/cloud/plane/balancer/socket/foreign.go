//go:build linux

package socket

import (
	"context"
	"fmt"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"
)

// AllowForeignAddress lets a socket of a family have an address that is not the host's (ip(7):
// IP_TRANSPARENT). It needs the capability CAP_NET_ADMIN or CAP_NET_RAW.
func AllowForeignAddress(fd int, family Family) error {
	level, option := unix.SOL_IP, unix.IP_TRANSPARENT
	if family == IPv6 {
		level, option = unix.SOL_IPV6, unix.IPV6_TRANSPARENT
	}
	return os.NewSyscallError("setsockopt", unix.SetsockoptInt(fd, level, option, 1))
}

// DialAs is Dial without a loop, from the address and port of another host. Port 0 is any.
func DialAs(ctx context.Context, fd int, from, to netip.AddrPort) (*Conn, error) {
	return connectBound(ctx, nil, fd, func() error {
		if err := unix.Bind(fd, sockaddr(from)); err != nil {
			return fmt.Errorf("as %s: %w", from, os.NewSyscallError("bind", err))
		}
		return nil
	}, to)
}

// Reset makes Close discard what has not been sent, and reset the connection (socket(7):
// SO_LINGER).
func (c *Conn) Reset() {
	_ = c.Control(func(fd uintptr) {
		_ = unix.SetsockoptLinger(int(fd), unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	})
}
