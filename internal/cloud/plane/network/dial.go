//go:build linux

package network

import (
	"context"
	"net"
	"net/netip"
)

// ListenIn listens for TCP connections at an address in the network namespace at path.
func ListenIn(path string, at netip.AddrPort) (net.Listener, error) {
	var listener net.Listener
	err := inNamespace(path, func() (err error) {
		listener, err = net.ListenTCP(tcpOf(at.Addr()), net.TCPAddrFromAddrPort(at))
		return err
	})
	return listener, err
}

// DialIn opens a TCP connection from the network namespace at path. It occupies a
// thread until it returns.
func DialIn(ctx context.Context, path string, to netip.AddrPort) (net.Conn, error) {
	var conn net.Conn
	err := inNamespace(path, func() (err error) {
		var d net.Dialer // dials on this thread, because an IP address needs no lookup
		conn, err = d.DialContext(ctx, tcpOf(to.Addr()), to.String())
		return err
	})
	return conn, err
}

// tcpOf returns the name of TCP over the family of an address.
func tcpOf(a netip.Addr) string {
	if a.Is6() {
		return "tcp6"
	}
	return "tcp4"
}
