//go:build linux

package network

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/egress"
)

// egressListener accepts machines' connections to the outside.
type egressListener struct {
	listener *net.TCPListener
	claimed  bool // by Run, which serves it
}

// egressPort is the edge's port to which the firewall redirects connections to the
// outside.
const egressPort = 15001

// openEgress opens the edge's listener, or adopts that of the running process.
func (s *listeners) openEgress(ctx context.Context, e *edge, client *egress.Client) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.egress != nil {
		return nil
	}
	adopted, err := client.Adopt(ctx)
	if err != nil {
		return err
	}
	var listener *net.TCPListener
	err = inNamespace(e.path, func() (err error) {
		if listener, err = ifHere(adopted); listener != nil || err != nil {
			return err
		}
		listener, err = net.ListenTCP("tcp4", tcpAddr(e.addresses.edge, egressPort))
		return err
	})
	if adopted != nil && (err != nil || net.Listener(listener) != adopted) {
		_ = adopted.Close()
	}
	if err != nil {
		return fmt.Errorf("listen at the edge: %w", err)
	}
	s.egress = &egressListener{listener: listener}
	s.notify()
	return nil
}

// ifHere returns the listener if it is in the calling thread's network namespace, and nil
// otherwise.
func ifHere(listener net.Listener) (*net.TCPListener, error) {
	tcp, ok := listener.(*net.TCPListener)
	if !ok {
		return nil, nil
	}
	here, err := cookieHere()
	if err != nil {
		return nil, err
	}
	if there, err := namespaceCookie(tcp); err != nil || there != here {
		return nil, err
	}
	return tcp, nil
}

// cookieHere returns the number of the calling thread's network namespace.
func cookieHere() (uint64, error) {
	probe, err := net.ListenUDP("udp4", nil)
	if err != nil {
		return 0, fmt.Errorf("read a namespace's number: %w", err)
	}
	defer func() { _ = probe.Close() }()
	return namespaceCookie(probe)
}

// namespaceCookie returns the number of a socket's network namespace (SO_NETNS_COOKIE).
func namespaceCookie(conn syscall.Conn) (cookie uint64, err error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, fmt.Errorf("read a socket's namespace: %w", err)
	}
	var optErr error
	err = raw.Control(func(fd uintptr) {
		cookie, optErr = unix.GetsockoptUint64(int(fd), unix.SOL_SOCKET, unix.SO_NETNS_COOKIE)
	})
	if err := errors.Join(err, optErr); err != nil {
		return 0, fmt.Errorf("read a socket's namespace: %w", err)
	}
	return cookie, nil
}

func (s *listeners) closeEgress() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.egress != nil {
		_ = s.egress.listener.Close()
		s.egress = nil
	}
}

// releaseEgress closes an egress listener that Run no longer serves.
func (s *listeners) releaseEgress(served *egressListener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = served.listener.Close()
	if s.egress == served {
		s.egress = nil
	}
}
