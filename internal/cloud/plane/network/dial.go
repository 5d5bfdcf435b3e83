package network

import (
	"context"
	"net"
	"net/netip"
)

// ListenIn listens for TCP at the address inside the network namespace at path.
func ListenIn(path string, at netip.AddrPort) (net.Listener, error) {
	var listener net.Listener
	err := inNamespace(path, func() (err error) {
		listener, err = net.ListenTCP("tcp4", net.TCPAddrFromAddrPort(at))
		return err
	})
	return listener, err
}

// DialIn connects over TCP from inside the network namespace at path. It holds a
// thread while it waits.
func DialIn(ctx context.Context, path string, to netip.AddrPort) (net.Conn, error) {
	var conn net.Conn
	err := inNamespace(path, func() (err error) {
		var d net.Dialer // an address that needs no look-up is dialled on this very thread
		conn, err = d.DialContext(ctx, "tcp4", to.String())
		return err
	})
	return conn, err
}
