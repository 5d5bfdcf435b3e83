//go:build linux

package firewall

import (
	"net/netip"

	"github.com/google/nftables"
	"golang.org/x/sys/unix"
)

// Family is a version of the Internet Protocol. Each has a table of its own.
type Family int

// The families.
const (
	IPv4 Family = iota
	IPv6
)

// FamilyOf returns the family of an address.
func FamilyOf(a netip.Addr) Family {
	if a.Is4() {
		return IPv4
	}
	return IPv6
}

// source returns the field with the address of a packet's sender.
func (f Family) source() field {
	if f == IPv6 {
		return source6
	}
	return source
}

// destination returns the field with the address of a packet's receiver.
func (f Family) destination() field {
	if f == IPv6 {
		return destination6
	}
	return destination
}

// table returns the family of tables in nftables, and nft's name of it.
func (f Family) table() (family nftables.TableFamily, name string) {
	if f == IPv6 {
		return nftables.TableFamilyIPv6, "ip6"
	}
	return nftables.TableFamilyIPv4, "ip"
}

// natFamily returns the number of the family of an address in the kernel.
func natFamily(a netip.Addr) uint32 {
	if FamilyOf(a) == IPv6 {
		return unix.NFPROTO_IPV6
	}
	return unix.NFPROTO_IPV4
}

// The types of neighbour discovery by which machines find the hardware addresses of others (RFC
// 4861, sections 4.3 and 4.4).
const (
	neighborSolicitation  = 135
	neighborAdvertisement = 136
)

// discovery returns the rules by which a namespace of the family finds others on its links. ARP
// needs none.
func (f Family) discovery() []rule {
	if f == IPv6 {
		return []rule{neighborDiscovery()}
	}
	return nil
}

// neighborDiscovery returns the rule that lets a machine and the router find each other's
// hardware address. Only they are on their link, and neither forwards these packets.
func neighborDiscovery() rule {
	types := inInterval{icmpType, byteValue(neighborSolicitation), byteValue(neighborAdvertisement)}
	return rule{equals{protocol, byteValue(protocolNumbers["icmpv6"])}, types, accept}
}
