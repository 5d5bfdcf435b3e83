//go:build linux

package network

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

// egressProxy accepts the connections that machines open to the outside and opens them
// again from the host, so that the host's routes, VPNs and proxies apply to them.
type egressProxy struct {
	listener net.Listener
	claimed  bool // by Plane.Run, which serves it
}

// egressPort is the edge's port to which the firewall redirects connections to the
// outside.
const egressPort = 15001

func (e *egressProxy) serve(ctx context.Context, cfg PlaneConfig) {
	var running sync.WaitGroup
	defer running.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = e.listener.Close() })
	defer stop()
	for {
		conn, err := e.listener.Accept()
		if err != nil {
			if !errors.Is(err, net.ErrClosed) {
				cfg.Log.Error("accept connections to the outside", "error", err)
			}
			return
		}
		machine, ok := conn.(*net.TCPConn)
		if !ok {
			_ = conn.Close()
			continue
		}
		running.Go(func() { relay(ctx, machine, cfg) })
	}
}

// relay connects a machine's connection with the address it was opened to.
func relay(ctx context.Context, machine *net.TCPConn, cfg PlaneConfig) {
	defer func() { _ = machine.Close() }()
	to, err := originalDestination(machine)
	if err != nil {
		cfg.Log.Warn("read a connection's original destination", "error", err)
		return
	}
	address, err := dialAddress(to, cfg, hostAddresses)
	if err != nil {
		cfg.Log.Info("refuse a connection to the outside", "machine", machine.RemoteAddr(), "to", to, "reason", err)
		_ = machine.SetLinger(0) // a reset, as from a closed port
		return
	}
	dialer := net.Dialer{Timeout: dialTimeout}
	conn, err := dialer.DialContext(ctx, "tcp4", address)
	if err != nil {
		cfg.Log.Debug("dial the outside", "machine", machine.RemoteAddr(), "to", address, "error", err)
		if errors.Is(err, unix.ECONNREFUSED) {
			_ = machine.SetLinger(0)
		}
		return
	}
	defer func() { _ = conn.Close() }()
	if remote, ok := conn.(*net.TCPConn); ok {
		copyBothWays(ctx, machine, remote)
	}
}

// copyBothWays copies in both directions, and half-closes each side when the other
// ends, until both have ended.
func copyBothWays(ctx context.Context, a, b *net.TCPConn) {
	stop := context.AfterFunc(ctx, func() { _, _ = a.Close(), b.Close() })
	defer stop()
	var running sync.WaitGroup
	for _, direction := range [][2]*net.TCPConn{{a, b}, {b, a}} {
		from, to := direction[0], direction[1]
		running.Go(func() {
			if _, err := io.Copy(to, from); err != nil {
				// One side was reset. Reset the other, which waits for nothing now.
				_ = to.SetLinger(0)
				_, _ = to.Close(), from.Close()
				return
			}
			_ = to.CloseWrite()
		})
	}
	running.Wait()
}

// originalDestination returns where a redirected connection was going (SO_ORIGINAL_DST,
// linux/netfilter_ipv4.h).
func originalDestination(conn *net.TCPConn) (netip.AddrPort, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("read the original destination: %w", err)
	}
	var to netip.AddrPort
	var optErr error
	err = raw.Control(func(fd uintptr) {
		// The kernel writes a sockaddr_in, which has the 16 bytes of an IPv6Mreq's address.
		const soOriginalDst = 80
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

// Reasons why the host refuses to dial for a machine.
var (
	errNotExternal = errors.New("the address is not outside the local cloud")
	errHost        = errors.New("the address is the host's own")
	errNoProxy     = errors.New("the host has no proxy on this port")
)

// dialAddress returns the address to dial for a machine's connection to to. Machines
// do not reach the host's own services, except the proxies that it offers.
func dialAddress(to netip.AddrPort, cfg PlaneConfig, host func() ([]netip.Addr, error)) (string, error) {
	addr := to.Addr()
	if addr == addressesOf(cfg.PublicRange).proxies {
		if proxy, ok := cfg.HostProxies[to.Port()]; ok {
			return proxy, nil
		}
		return "", errNoProxy
	}
	limitedBroadcast := netip.AddrFrom4([4]byte{255, 255, 255, 255})
	thisNetwork := netip.PrefixFrom(netip.IPv4Unspecified(), 8)
	switch {
	case addr.IsLoopback(), addr.IsLinkLocalUnicast(), addr.IsMulticast(), addr == limitedBroadcast,
		thisNetwork.Contains(addr), cfg.PublicRange.Contains(addr):
		return "", errNotExternal
	}
	own, err := host()
	if err != nil {
		return "", err
	}
	for _, a := range own {
		if a == addr {
			return "", errHost
		}
	}
	return net.JoinHostPort(addr.String(), strconv.Itoa(int(to.Port()))), nil
}

// hostAddresses returns the host's present addresses, which change with networks and VPNs.
func hostAddresses() ([]netip.Addr, error) {
	found, err := net.InterfaceAddrs()
	if err != nil {
		return nil, fmt.Errorf("list the host's addresses: %w", err)
	}
	all := make([]netip.Addr, 0, len(found))
	for _, a := range found {
		if n, ok := a.(*net.IPNet); ok {
			if addr, ok := netip.AddrFromSlice(n.IP); ok {
				all = append(all, addr.Unmap())
			}
		}
	}
	return all, nil
}
