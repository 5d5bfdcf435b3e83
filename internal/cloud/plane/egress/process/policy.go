//go:build linux

package process

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"aloft.dev/aloft/internal/cloud/plane/egress"
)

// Reasons why the host refuses to dial for a machine.
var (
	errNotExternal = errors.New("the address is not outside the local cloud")
	errHost        = errors.New("the address is the host's own")
	errNoProxy     = errors.New("the host has no proxy on this port")
	errMetadata    = errors.New("the address belongs to a metadata service of the host's own cloud")
	errPrivate     = errors.New("the address is private, on a network of the host")
)

// unreachable are IPv4 ranges that are never outside: those that name no host, and those that
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

// internet is the range of all IPv6 addresses of the internet (IANA, IPv6 Address Space).
var internet = netip.MustParsePrefix("2000::/3")

// notInternet are ranges in it that are not of the internet, or lead to IPv4 addresses (IANA, IPv6
// Special-Purpose Address Registry).
var notInternet = []netip.Prefix{
	netip.MustParsePrefix("2001::/23"), // with Teredo and benchmarks
	netip.MustParsePrefix("2001:db8::/32"),
	netip.MustParsePrefix("2002::/16"),
	netip.MustParsePrefix("3fff::/20"),
}

// siteBits is how many bits the addresses of one site have in common: as many as providers give
// homes and offices at most (RFC 6177). Networks of the host's own site are private.
const siteBits = 56

// inSite reports whether an IPv6 address is on a network of the site of a host with the addresses
// own.
func inSite(addr netip.Addr, own []netip.Addr) bool {
	return addr.Is6() && slices.ContainsFunc(own, func(a netip.Addr) bool {
		return internet.Contains(a) && netip.PrefixFrom(a, siteBits).Contains(addr)
	})
}

// isOutside reports whether an address can be outside the local cloud.
func isOutside(addr netip.Addr) bool {
	contains := func(p netip.Prefix) bool { return p.Contains(addr) }
	if addr.Is6() {
		return internet.Contains(addr) && !slices.ContainsFunc(notInternet, contains)
	}
	return !slices.ContainsFunc(unreachable, contains)
}

// dialAddress returns the address to dial for a machine's connection to to. host returns the
// host's present addresses.
func dialAddress(r egress.Reach, to netip.AddrPort, host func() ([]netip.Addr, error)) (string, error) {
	addr := to.Addr()
	if addr == r.ProxyAddress {
		if proxy, ok := r.Proxies[to.Port()]; ok {
			return proxy, nil
		}
		return "", errNoProxy
	}
	contains := func(p netip.Prefix) bool { return p.Contains(addr) }
	switch {
	case r.Public.Contains(addr), !isOutside(addr):
		return "", errNotExternal
	case slices.Contains(metadataServices, addr):
		return "", errMetadata
	}
	own, err := host()
	if err != nil {
		return "", err
	}
	if slices.Contains(own, addr) {
		return "", errHost
	}
	if (slices.ContainsFunc(private, contains) || inSite(addr, own)) && !slices.ContainsFunc(r.Private, contains) &&
		!slices.Contains(r.Found, to) {
		return "", errPrivate
	}
	return to.String(), nil
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
