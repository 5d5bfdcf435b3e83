//go:build linux

package egress

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
)

// Reach says what machines reach outside the local cloud.
type Reach struct {
	Public netip.Prefix // range of the local cloud's own public addresses

	// Proxies maps ports of ProxyAddress, which machines can reach, to the host:port that
	// is dialled instead, on the host's loopback or beyond.
	ProxyAddress netip.Addr
	Proxies      map[uint16]string

	Private []netip.Prefix // private ranges that machines reach
	Places  []string       // host:port of proxies and registries that machines reach in any private range
}

// Reasons why the host refuses to dial for a machine.
var (
	errNotExternal = errors.New("the address is not outside the local cloud")
	errHost        = errors.New("the address is the host's own")
	errNoProxy     = errors.New("the host has no proxy on this port")
	errMetadata    = errors.New("the address belongs to a metadata service of the host's own cloud")
	errPrivate     = errors.New("the address is private, on a network of the host")
)

// unreachable are ranges that are never outside: those that name no host, and those that
// stay on one host or one link (RFC 6890, sections 2.2.2).
var unreachable = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("127.0.0.0/8"),
	netip.MustParsePrefix("169.254.0.0/16"),
	netip.MustParsePrefix("224.0.0.0/4"),
	netip.MustParsePrefix("240.0.0.0/4"), // with limited broadcast
}

// metadataServices are addresses at which clouds hand credentials and settings to their
// machines, beside 169.254.169.254: Azure, Alibaba Cloud and Oracle Cloud.
var metadataServices = []netip.Addr{
	netip.MustParseAddr("168.63.129.16"),
	netip.MustParseAddr("100.100.100.200"),
	netip.MustParseAddr("192.0.0.192"),
}

// private are ranges of networks that are not the internet: private ones (RFC 1918), shared
// ones, as of VPNs (RFC 6598), and those for protocols (RFC 6890).
var private = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"),
	netip.MustParsePrefix("172.16.0.0/12"),
	netip.MustParsePrefix("192.168.0.0/16"),
	netip.MustParsePrefix("100.64.0.0/10"),
	netip.MustParsePrefix("192.0.0.0/24"),
}

// network is what dialAddress asks of the host's network.
type network struct {
	own    func() ([]netip.Addr, error)                                 // the host's present addresses
	lookup func(ctx context.Context, host string) ([]netip.Addr, error) // of a place
}

// dialAddress returns the address to dial for a machine's connection to to.
func (r Reach) dialAddress(ctx context.Context, to netip.AddrPort, n network) (string, error) {
	addr := to.Addr()
	if addr == r.ProxyAddress {
		if proxy, ok := r.Proxies[to.Port()]; ok {
			return proxy, nil
		}
		return "", errNoProxy
	}
	contains := func(p netip.Prefix) bool { return p.Contains(addr) }
	switch {
	case r.Public.Contains(addr), !addr.Is4(), slices.ContainsFunc(unreachable, contains):
		return "", errNotExternal
	case slices.Contains(metadataServices, addr):
		return "", errMetadata
	}
	own, err := n.own()
	if err != nil {
		return "", err
	}
	if slices.Contains(own, addr) {
		return "", errHost
	}
	if slices.ContainsFunc(private, contains) && !slices.ContainsFunc(r.Private, contains) &&
		!r.hasPlace(ctx, to, n) {
		return "", errPrivate
	}
	return to.String(), nil
}

// hasPlace reports whether a place is at the address. A place whose name cannot be resolved
// is not.
func (r Reach) hasPlace(ctx context.Context, at netip.AddrPort, n network) bool {
	for _, place := range r.Places {
		host, port, err := net.SplitHostPort(place)
		if err != nil || port != strconv.Itoa(int(at.Port())) {
			continue
		}
		if addr, err := netip.ParseAddr(host); err == nil {
			if addr == at.Addr() {
				return true
			}
			continue
		}
		if found, err := n.lookup(ctx, host); err == nil && slices.Contains(found, at.Addr()) {
			return true
		}
	}
	return false
}

// hostNetwork is the network of the host.
func hostNetwork() network {
	resolver := &net.Resolver{PreferGo: true}
	return network{
		own: hostAddresses,
		lookup: func(ctx context.Context, host string) ([]netip.Addr, error) {
			ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
			defer cancel()
			return resolver.LookupNetIP(ctx, "ip4", host)
		},
	}
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
