//go:build linux

// Package egress describes the process that carries the connections of machines to the
// outside, and is its client. The process accepts them at the edge and opens them again from
// the host, so that the host's routes, VPNs and proxies apply to them.
package egress

import "net/netip"

// Reach says what machines reach outside the local cloud.
type Reach struct {
	Public netip.Prefix // range of the local cloud's own public addresses

	// Proxies maps ports of ProxyAddress, which machines can reach, to the host:port that
	// is dialled instead, on the host's loopback or beyond.
	ProxyAddress netip.Addr
	Proxies      map[uint16]string

	Private []netip.Prefix // private ranges that machines reach

	// Places are host:port of proxies and registries that machines reach wherever they are.
	// The client finds the addresses of their names from time to time.
	Places []string
	Found  []netip.AddrPort
}
