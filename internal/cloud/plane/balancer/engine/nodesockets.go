//go:build linux

package engine

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/balancer/keeper"
	"aloft.dev/aloft/internal/cloud/plane/balancer/socket"
)

// stockSize is how many sockets a node gets at once for its connections to targets. They
// come from another process, and entering a namespace costs as much as a hundred sockets.
const stockSize = 32

// nodeSockets makes the sockets of a node in its namespace.
type nodeSockets struct {
	keeper keeper.Sockets
	in     keeper.Namespace

	mu            sync.Mutex
	stock, stock6 []int // of IPv4 and IPv6, not yet connected
	closed        bool
}

// listen listens for TCP at the address inside the namespace.
func (s *nodeSockets) listen(at netip.AddrPort) (*socket.Listener, error) {
	fd, err := s.keeper.Listen(s.in, at)
	if err != nil {
		return nil, err
	}
	if fd < 0 {
		return nil, unix.EADDRNOTAVAIL
	}
	return socket.NewListener(fd, at), nil
}

// dial connects from an address of the namespace. For loop see socket.Dial. It fetches
// sockets if there are none, and a loop should not wait for that: see stocked.
func (s *nodeSockets) dial(
	ctx context.Context, loop *socket.Loop, from netip.Addr, to netip.AddrPort,
) (*socket.Conn, error) {
	fd, err := s.take(socket.FamilyOf(from))
	if err != nil {
		return nil, fmt.Errorf("create a socket: %w", err)
	}
	return socket.Dial(ctx, loop, fd, from, to)
}

// dialAs connects with a client's address, and with its port if that is possible.
func (s *nodeSockets) dialAs(ctx context.Context, client, to netip.AddrPort) (conn *socket.Conn, err error) {
	for _, from := range []netip.AddrPort{client, netip.AddrPortFrom(client.Addr(), 0)} {
		fd, problem := s.take(socket.FamilyOf(from.Addr()))
		if problem != nil {
			return nil, fmt.Errorf("create a socket: %w", problem)
		}
		conn, err = socket.DialAs(ctx, fd, from, to)
		// The port is one of another connection, or so low that it needs a privilege.
		if !errors.Is(err, unix.EADDRINUSE) && !errors.Is(err, unix.EADDRNOTAVAIL) && !errors.Is(err, unix.EACCES) {
			break
		}
	}
	return conn, err
}

// tryBind checks that a socket of the namespace could have the address.
func (s *nodeSockets) tryBind(address netip.Addr) error {
	fd, err := s.take(socket.FamilyOf(address))
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	return socket.Bind(fd, address)
}

// take returns a socket of the family.
func (s *nodeSockets) take(family socket.Family) (int, error) {
	if s.in.Path == "" {
		return socket.NewSocket(family)
	}
	for {
		s.mu.Lock()
		stock := s.stockOf(family)
		if last := len(*stock) - 1; last >= 0 {
			fd := (*stock)[last]
			*stock = (*stock)[:last]
			s.mu.Unlock()
			return fd, nil
		}
		s.mu.Unlock()
		if err := s.fetch(family); err != nil {
			return -1, err
		}
	}
}

// stockOf returns the stock of a family. The lock is held.
func (s *nodeSockets) stockOf(family socket.Family) *[]int {
	if family == socket.IPv6 {
		return &s.stock6
	}
	return &s.stock
}

// stocked reports whether dial has a socket of the family without fetching any.
func (s *nodeSockets) stocked(family socket.Family) bool {
	if s.in.Path == "" {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(*s.stockOf(family)) > 0
}

// fetch adds sockets to the stock of a family.
func (s *nodeSockets) fetch(family socket.Family) error {
	fds, err := s.keeper.Connecting(s.in, family, stockSize)
	switch {
	case err != nil:
		return err
	case len(fds) == 0:
		return unix.EMFILE // this process could take none
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		closeAll(fds)
		return fmt.Errorf("network namespace %s is no longer in use", s.in.Path)
	}
	stock := s.stockOf(family)
	*stock = append(*stock, fds...)
	return nil
}

// close closes the stocks.
func (s *nodeSockets) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	closeAll(s.stock)
	closeAll(s.stock6)
	s.stock, s.stock6, s.closed = nil, nil, true
}

func closeAll(fds []int) {
	for _, fd := range fds {
		_ = unix.Close(fd)
	}
}
