//go:build linux

package network

import (
	"encoding/binary"
	"net/netip"

	"aloft.dev/aloft/internal/cloud/plane/firewall"
)

// DefaultPublicRange is reserved for benchmarks of network devices, so no host on
// the internet has an address in it (RFC 2544, appendix C.2.2).
var DefaultPublicRange = netip.MustParsePrefix("198.18.0.0/15")

// addresses are the addresses of the public range that the network itself uses.
type addresses struct {
	edge    netip.Addr // the first: the edge, as the host and routers see it
	router  netip.Addr // the second: every router, as the edge sees it
	host    netip.Addr // the third: the host, as machines see it
	proxies netip.Addr // the last but one of IPv4: the host's proxies, as machines see them
}

// DefaultIPv6Range is from the range for documentation, so no host on the internet has an
// address in it (RFC 3849). Unlike unique local addresses, programs treat its addresses as those
// of the internet, as they do AWS's. VPCs have their IPv6 addresses from it, except from the first
// block of 56 bits.
var DefaultIPv6Range = netip.MustParsePrefix("2001:db8:a100::/40")

// bothAddresses are the network's own addresses by family. Those of IPv6 are zero if there is no
// IPv6.
type bothAddresses [2]addresses

// of returns the network's own addresses of the same family as a.
func (b bothAddresses) of(a netip.Addr) addresses { return b[firewall.FamilyOf(a)] }

// shared returns the network's own addresses of the families that both namespaces have.
func (b bothAddresses) shared(x, y *namespace) []addresses {
	if x.ipv6 && y.ipv6 {
		return b[:]
	}
	return b[:firewall.IPv6]
}

// allAddresses returns the network's own addresses in the ranges of both families.
func allAddresses(ranges []netip.Prefix) (all bothAddresses) {
	for _, r := range ranges {
		all[firewall.FamilyOf(r.Addr())] = addressesOf(r)
	}
	return all
}

func addressesOf(public netip.Prefix) addresses {
	first := public.Masked().Addr()
	own := addresses{edge: first.Next(), router: first.Next().Next(), host: first.Next().Next().Next()}
	if first.Is4() {
		size := uint32(1) << (32 - public.Bits())
		b := first.As4()
		binary.BigEndian.PutUint32(b[:], binary.BigEndian.Uint32(b[:])+size-2)
		own.proxies = netip.AddrFrom4(b)
	}
	return own
}
