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
	"time"

	"golang.org/x/sys/unix"
)

// egressProxy takes up the connections that machines make to the outside and makes
// them anew from the host, whose routes, VPNs and proxies then hold for them.
type egressProxy struct {
	listener net.Listener
	claimed  bool
}

// dialTimeout is how long the outside has to accept: as long as Linux itself tries.
const dialTimeout = 130 * time.Second

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
				cfg.Log.Error("take up connections to the outside", "error", err)
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

// relay joins a machine's connection with one to where the machine wanted to go.
func relay(ctx context.Context, machine *net.TCPConn, cfg PlaneConfig) {
	defer func() { _ = machine.Close() }()
	wanted, err := originalDestination(machine)
	if err != nil {
		cfg.Log.Warn("find where a machine wants to go", "error", err)
		return
	}
	address, err := dialAddress(wanted, cfg, hostAddresses)
	if err != nil {
		cfg.Log.Info("refuse a connection to the outside", "machine", machine.RemoteAddr(), "to", wanted, "reason", err)
		_ = machine.SetLinger(0) // a reset, as from a closed port
		return
	}
	dialer := net.Dialer{Timeout: dialTimeout}
	conn, err := dialer.DialContext(ctx, "tcp4", address)
	if err != nil {
		cfg.Log.Debug("reach the outside", "machine", machine.RemoteAddr(), "to", address, "error", err)
		if errors.Is(err, unix.ECONNREFUSED) {
			_ = machine.SetLinger(0)
		}
		return
	}
	defer func() { _ = conn.Close() }()
	if far, ok := conn.(*net.TCPConn); ok {
		copyBothWays(ctx, machine, far)
	}
}

// copyBothWays copies both ways, passing on each side's end, until both have ended.
func copyBothWays(ctx context.Context, a, b *net.TCPConn) {
	stop := context.AfterFunc(ctx, func() { _, _ = a.Close(), b.Close() })
	defer stop()
	var running sync.WaitGroup
	for _, way := range [][2]*net.TCPConn{{a, b}, {b, a}} {
		from, to := way[0], way[1]
		running.Go(func() {
			if _, err := io.Copy(to, from); err != nil {
				// One side was reset: so is the other, and nobody waits for more.
				_ = to.SetLinger(0)
				_, _ = to.Close(), from.Close()
				return
			}
			_ = to.CloseWrite()
		})
	}
	running.Wait()
}

// originalDestination asks the kernel where a redirected connection was going
// (SO_ORIGINAL_DST, linux/netfilter_ipv4.h).
func originalDestination(conn *net.TCPConn) (netip.AddrPort, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("read the original destination: %w", err)
	}
	var found netip.AddrPort
	var failure error
	err = raw.Control(func(fd uintptr) {
		// The kernel writes a sockaddr_in, which is 16 bytes like this request.
		const originalDestination = 80
		answer, err := unix.GetsockoptIPv6Mreq(int(fd), unix.IPPROTO_IP, originalDestination)
		if err != nil {
			failure = err
			return
		}
		b := answer.Multiaddr
		found = netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[4:8])), uint16(b[2])<<8|uint16(b[3]))
	})
	if err := errors.Join(err, failure); err != nil {
		return netip.AddrPort{}, fmt.Errorf("read the original destination: %w", err)
	}
	return found, nil
}

// Reasons for which the host does not dial for a machine.
var (
	errNotExternal = errors.New("it is not an address of the outside")
	errHost        = errors.New("it is the host itself")
	errNoProxy     = errors.New("the host offers no proxy there")
)

// dialAddress gives the address to dial for a machine that wants to go somewhere.
// Machines do not reach services of the host, but for the proxies it offers.
func dialAddress(wanted netip.AddrPort, cfg PlaneConfig, host func() ([]netip.Addr, error)) (string, error) {
	addr := wanted.Addr()
	if addr == addressesOf(cfg.PublicRange).proxies {
		if proxy, ok := cfg.HostProxies[wanted.Port()]; ok {
			return proxy, nil
		}
		return "", errNoProxy
	}
	limited := netip.AddrFrom4([4]byte{255, 255, 255, 255})
	thisNetwork := netip.PrefixFrom(netip.IPv4Unspecified(), 8)
	switch {
	case addr.IsLoopback(),
		addr.IsLinkLocalUnicast(),
		addr.IsMulticast(),
		thisNetwork.Contains(addr),
		addr == limited,
		cfg.PublicRange.Contains(addr):
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
	return net.JoinHostPort(addr.String(), strconv.Itoa(int(wanted.Port()))), nil
}

// hostAddresses lists the host's addresses. They change with networks and VPNs,
// so they are looked up each time.
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
