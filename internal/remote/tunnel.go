package remote

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
)

// DialContext connects to an address as a program on the machine does (RFC 4254, "TCP/IP
// Port Forwarding").
func (m *Machine) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := m.client.DialContext(ctx, network, address)
	if err != nil {
		return nil, fmt.Errorf("connect from the machine to %s: %w", address, err)
	}
	return conn, nil
}

// Forward lets programs on the machine reach a loopback address of this computer at the
// same address there, until the returned function is called.
func (m *Machine) Forward(ctx context.Context, address string) (stop func(), err error) {
	listener, err := m.client.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen on the machine's address %s: %w", address, err)
	}
	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			all.Go(func() { relay(ctx, conn, address) })
		}
	})
	return func() {
		cancel()
		_ = listener.Close() // the connection may be gone already
		all.Wait()
	}, nil
}

// relay connects to an address on this computer, and copies both ways until both sides
// have ended or ctx has.
func relay(ctx context.Context, from net.Conn, address string) {
	defer func() { _ = from.Close() }()
	to, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return
	}
	defer func() { _ = to.Close() }()
	cut := context.AfterFunc(ctx, func() { _, _ = from.Close(), to.Close() })
	defer cut()
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{from, to}, {to, from}} {
		both.Go(func() {
			_, _ = io.Copy(way[1], way[0]) // either side may break off
			if half, ok := way[1].(interface{ CloseWrite() error }); ok {
				_ = half.CloseWrite()
			}
		})
	}
	both.Wait()
}
