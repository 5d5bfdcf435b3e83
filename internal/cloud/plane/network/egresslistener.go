//go:build linux

package network

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/egress"
	"aloft.dev/aloft/internal/cloud/plane/firewall"
)

// egressListener accepts machines' connections to the outside.
type egressListener struct {
	listeners []*net.TCPListener // one for each family
	claimed   bool               // by Run, which serves it
}

func (l *egressListener) close() {
	for _, listener := range l.listeners {
		_ = listener.Close()
	}
}

// egressPort is the edge's port to which the firewall redirects connections to the
// outside.
const egressPort = 15001

// openEgress opens the edge's listeners, or adopts those of the running process.
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
	opened := &egressListener{}
	err = inNamespace(e.path, func() error {
		for _, at := range e.egressAddresses() {
			listener, err := e.listenForEgress(adopted, at)
			if err != nil {
				return err
			}
			opened.listeners = append(opened.listeners, listener)
		}
		return nil
	})
	for _, listener := range adopted {
		if tcp, ok := listener.(*net.TCPListener); !ok || !slices.Contains(opened.listeners, tcp) {
			_ = listener.Close()
		}
	}
	if err != nil {
		opened.close()
		return fmt.Errorf("listen at the edge: %w", err)
	}
	s.egress = opened
	s.notify()
	return nil
}

// egressAddresses returns the addresses of the edge's listeners. That of IPv6 is every one, because
// the edge does not have its own until a VPC has IPv6.
func (e *edge) egressAddresses() []netip.Addr {
	all := []netip.Addr{e.addresses[firewall.IPv4].edge}
	if len(e.public) > 1 {
		all = append(all, netip.IPv6Unspecified())
	}
	return all
}

// listenForEgress listens at an address in the calling thread's network namespace, or returns the
// adopted listener that does.
func (e *edge) listenForEgress(adopted []net.Listener, at netip.Addr) (*net.TCPListener, error) {
	for _, listener := range adopted {
		tcp, err := ifHere(listener)
		if err != nil {
			return nil, err
		}
		if tcp != nil && tcp.Addr().(*net.TCPAddr).AddrPort().Addr() == at {
			return tcp, nil
		}
	}
	return net.ListenTCP(tcpOf(at), tcpAddr(at, egressPort))
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
		s.egress.close()
		s.egress = nil
	}
}

// releaseEgress closes an egress listener that Run no longer serves.
func (s *listeners) releaseEgress(served *egressListener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	served.close()
	if s.egress == served {
		s.egress = nil
	}
}
