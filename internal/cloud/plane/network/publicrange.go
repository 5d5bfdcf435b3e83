//go:build linux

package network

import (
	"encoding/binary"
	"net/netip"
)

// DefaultPublicRange is reserved for benchmarks of network devices, so no host on
// the internet has an address in it (RFC 2544, appendix C.2.2).
var DefaultPublicRange = netip.MustParsePrefix("198.18.0.0/15")

// addresses are the addresses of the public range that the network itself uses.
type addresses struct {
	edge    netip.Addr // the first: the edge, as the host and routers see it
	router  netip.Addr // the second: every router, as the edge sees it
	host    netip.Addr // the third: the host, as machines see it
	proxies netip.Addr // the last but one: the host's proxies, as machines see them
}

func addressesOf(public netip.Prefix) addresses {
	first := public.Masked().Addr()
	size := uint32(1) << (32 - public.Bits())
	b := first.As4()
	binary.BigEndian.PutUint32(b[:], binary.BigEndian.Uint32(b[:])+size-2)
	return addresses{
		edge:    first.Next(),
		router:  first.Next().Next(),
		host:    first.Next().Next().Next(),
		proxies: netip.AddrFrom4(b),
	}
}
