// Package nat64 maps IPv4 addresses to the IPv6 addresses at which machines reach them through a
// NAT gateway.
package nat64

import "net/netip"

// Prefix is the range of the IPv6 addresses (RFC 6052, section 2.1; Amazon VPC User Guide, DNS64 and
// NAT64).
var Prefix = netip.MustParsePrefix("64:ff9b::/96")

// Embed returns the IPv6 address of an IPv4 address.
func Embed(v4 netip.Addr) netip.Addr {
	b, last := Prefix.Addr().As16(), v4.As4()
	copy(b[12:], last[:])
	return netip.AddrFrom16(b)
}

// Extract returns the IPv4 address of an IPv6 address in the range.
func Extract(v6 netip.Addr) (v4 netip.Addr, ok bool) {
	if !Prefix.Contains(v6) {
		return netip.Addr{}, false
	}
	b := v6.As16()
	return netip.AddrFrom4([4]byte(b[12:])), true
}
