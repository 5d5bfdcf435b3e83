//go:build linux

package process

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/nat64"
	"aloft.dev/aloft/internal/cloud/plane/admission"
	"aloft.dev/aloft/internal/cloud/plane/egress"
)

// connectionsPerMachine is the most connections that one machine has open to the outside.
const connectionsPerMachine = 1024

// refusalsPerMinute is how many refusals of one machine the log names.
const refusalsPerMinute = 10

// server carries connections. Its reach may change while it serves.
type server struct {
	log     *slog.Logger
	reach   atomic.Pointer[egress.Reach]
	gate    *admission.Gate
	notices *admission.Notices
	idle    time.Duration
	chunks  sync.Pool // of *chunk
}

// newServer returns a server that uses at most half of a number of descriptors.
func newServer(descriptors int, log *slog.Logger) *server {
	limits := admission.Limits{Total: descriptors / 4} // a connection has two ends
	limits.PerSource = min(connectionsPerMachine, limits.Total/4)
	return &server{
		log: log, idle: idleTimeout,
		gate:    admission.NewGate("egress", limits, log),
		notices: admission.NewNotices(refusalsPerMinute),
		chunks:  sync.Pool{New: func() any { return new(chunk) }},
	}
}

// use makes new connections follow the reach.
func (s *server) use(reach egress.Reach) { s.reach.Store(&reach) }

// serve carries connections until ctx ends or the listener is closed. It closes the
// listener, and all connections. use must have been called.
func (s *server) serve(ctx context.Context, listener net.Listener) error {
	var running sync.WaitGroup
	defer running.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	admitted := s.gate.Listen("", listener)
	defer func() { _ = admitted.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = admitted.Close() })
	defer stop()
	for {
		conn, err := admitted.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("accept connections to the outside: %w", err)
		}
		if machine, ok := conn.(*admission.Conn); ok {
			running.Go(func() { s.carry(ctx, machine) })
		}
	}
}

// carry connects a machine's connection with the address it was opened to.
func (s *server) carry(ctx context.Context, machine *admission.Conn) {
	defer func() { _ = machine.Close() }()
	to, err := originalDestination(machine.TCPConn)
	if err != nil {
		s.log.Warn("read a connection's original destination", "error", err)
		return
	}
	if v4, ok := nat64.Extract(to.Addr()); ok {
		to = netip.AddrPortFrom(v4, to.Port()) // as a NAT gateway translates
	}
	address, err := dialAddress(*s.reach.Load(), to, hostAddresses)
	if err != nil {
		s.noteRefusal(machine.Source, to, err)
		_ = machine.SetLinger(0) // a reset, as from a closed port
		return
	}
	dialer := net.Dialer{Timeout: dialTimeout}
	network := "tcp4"
	if to.Addr().Is6() {
		network = "tcp6"
	}
	conn, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		s.log.Debug("dial the outside", "machine", machine.Source.Address, "to", address, "error", err)
		if errors.Is(err, unix.ECONNREFUSED) {
			_ = machine.SetLinger(0)
		}
		return
	}
	defer func() { _ = conn.Close() }()
	if remote, ok := conn.(*net.TCPConn); ok {
		s.relay(ctx, machine.TCPConn, remote)
	}
}

// noteRefusal writes to the log which machine dialled what, and how to allow it.
func (s *server) noteRefusal(machine admission.Source, to netip.AddrPort, reason error) {
	others, due := s.notices.Due(machine)
	if !due {
		return
	}
	attributes := []any{"machine", machine.Address, "to", to, "reason", reason, "not-logged-before", others}
	if errors.Is(reason, errPrivate) {
		attributes = append(attributes, "allow", allowing(s.reach.Load().Private, to.Addr()))
	}
	s.log.Warn("refuse a connection to the outside", attributes...)
}

// allowing returns the command that lets machines reach an address beside the ranges.
func allowing(ranges []netip.Prefix, addr netip.Addr) string {
	command := "sudo aloft local restart --allow-private "
	for _, r := range ranges {
		command += r.String() + ","
	}
	return command + netip.PrefixFrom(addr, addr.BitLen()).String()
}

// originalDestination returns where a redirected connection was going (SO_ORIGINAL_DST,
// linux/netfilter_ipv4.h; IP6T_SO_ORIGINAL_DST, linux/netfilter_ipv6/ip6_tables.h).
func originalDestination(conn *net.TCPConn) (netip.AddrPort, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("read the original destination: %w", err)
	}
	var to netip.AddrPort
	var optErr error
	err = raw.Control(func(fd uintptr) {
		const soOriginalDst = 80
		if conn.LocalAddr().(*net.TCPAddr).AddrPort().Addr().Is6() {
			// The kernel writes a sockaddr_in6, with which an IPv6MTUInfo begins.
			var info *unix.IPv6MTUInfo
			if info, optErr = unix.GetsockoptIPv6MTUInfo(int(fd), unix.IPPROTO_IPV6, soOriginalDst); optErr == nil {
				port := binary.BigEndian.Uint16(binary.NativeEndian.AppendUint16(nil, info.Addr.Port))
				to = netip.AddrPortFrom(netip.AddrFrom16(info.Addr.Addr), port)
			}
			return
		}
		// The kernel writes a sockaddr_in, which has the 16 bytes of an IPv6Mreq's address.
		var mreq *unix.IPv6Mreq
		if mreq, optErr = unix.GetsockoptIPv6Mreq(int(fd), unix.IPPROTO_IP, soOriginalDst); optErr != nil {
			return
		}
		b := mreq.Multiaddr
		to = netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[4:8])), uint16(b[2])<<8|uint16(b[3]))
	})
	if err := errors.Join(err, optErr); err != nil {
		return netip.AddrPort{}, fmt.Errorf("read the original destination: %w", err)
	}
	return to, nil
}
