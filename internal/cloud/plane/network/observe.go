//go:build linux

package network

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"

	"aloft.dev/aloft/internal/cloud/plane/firewall"
)

// Dropped returns how many packets the router of a VPC dropped at borders, since its firewall
// last changed.
func (p *Plane) Dropped(vpcID string, borders []firewall.Border) (map[firewall.Border]uint64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r, ok := p.routers[vpcID]
	if !ok {
		return nil, nil
	}
	return firewall.Dropped(r.namespace.fd(), nftTable, borders)
}

// DialOutside opens a TCP connection from the host, at HostAddress, to a public address of a
// machine.
func (p *Plane) DialOutside(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	if !p.cfg.PublicRange.Contains(to.Addr()) {
		return nil, fmt.Errorf("connect to %s: not an address of this cloud", to)
	}
	dialer := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(p.HostAddress(), 0))}
	return dialer.DialContext(ctx, "tcp4", to.String())
}

// tcpListen is the state of a listening socket (proc_net_tcp.rst, include/net/tcp_states.h).
const tcpListen = "0A"

// Listening returns the TCP sockets that listen in the network namespace at path, sorted.
func Listening(path string) (sockets []netip.AddrPort, err error) {
	err = inNamespace(path, func() error {
		for _, table := range []string{"tcp", "tcp6"} {
			file, err := os.Open("/proc/thread-self/net/" + table)
			if errors.Is(err, fs.ErrNotExist) {
				continue // a kernel without IPv6
			}
			if err != nil {
				return fmt.Errorf("list sockets: %w", err)
			}
			defer func() { _ = file.Close() }()
			lines := bufio.NewScanner(file)
			for lines.Scan() {
				fields := strings.Fields(lines.Text())
				if len(fields) < 4 || fields[3] != tcpListen {
					continue
				}
				socket, err := parseSocket(fields[1])
				if err != nil {
					return err
				}
				sockets = append(sockets, socket)
			}
			if err := lines.Err(); err != nil {
				return fmt.Errorf("list sockets: %w", err)
			}
		}
		return nil
	})
	slices.SortFunc(sockets, netip.AddrPort.Compare)
	return sockets, err
}

// parseSocket parses an address of the kernel's table of sockets: words of four bytes in the
// order of the processor, which is little-endian everywhere that aloft runs, and a port.
func parseSocket(text string) (netip.AddrPort, error) {
	words, port, _ := strings.Cut(text, ":")
	data, err := hex.DecodeString(words)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("parse the socket %s: %w", text, err)
	}
	for i := 0; i+4 <= len(data); i += 4 {
		slices.Reverse(data[i : i+4])
	}
	address, ok := netip.AddrFromSlice(data)
	number, err := strconv.ParseUint(port, 16, 16)
	if !ok || err != nil {
		return netip.AddrPort{}, fmt.Errorf("parse the socket %s: not an address with a port", text)
	}
	return netip.AddrPortFrom(address.Unmap(), uint16(number)), nil
}
