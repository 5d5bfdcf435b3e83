// Package addressing assigns IP addresses to network interfaces: private addresses
// from their subnets and public addresses from the local internet's range.
package addressing

import (
	"encoding/binary"
	"errors"
	"net/netip"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
)

// Errors of an assignment.
var (
	// ErrSubnetFull is returned when all addresses of a subnet are in use.
	ErrSubnetFull = errors.New("the subnet has no free address")
	// ErrPublicRangeFull is returned when all public addresses are in use.
	ErrPublicRangeFull = errors.New("the public range has no free address")
	// ErrOutside is returned for an address that is not the subnet's.
	ErrOutside = errors.New("the address is outside the subnet")
	// ErrReserved is returned for an address of the subnet that no interface can have.
	ErrReserved = errors.New("the address is reserved in the subnet")
	// ErrNoIPv6 is returned for an IPv6 address in a subnet that has none.
	ErrNoIPv6 = errors.New("the subnet has no IPv6 addresses")
	// ErrNoIPv4 is returned for an IPv4 address in a subnet that has none.
	ErrNoIPv4 = errors.New("the subnet has no IPv4 addresses")
	// ErrInUse is returned for an address that another interface has.
	ErrInUse = errors.New("the address is in use")
)

// reservedFirst and reservedLast are the numbers of addresses at the start and end
// of each subnet that no interface can have (Amazon VPC User Guide, Subnet sizing).
const (
	reservedFirst = 4
	reservedLast  = 1
)

// CountFree returns the number of free private addresses in a subnet. One without IPv4 addresses has
// none (AWS CLI Command Reference, ec2 create-subnet).
func CountFree(r store.Reader, subnet *store.Subnet) int {
	if subnet.IPv6Only() {
		return 0
	}
	used := store.NetworkInterfacesInSubnet(r, subnet.ID)
	free := size(subnet.CIDR) - reservedFirst - reservedLast - len(used)
	if reserved := reservationsOf(r, subnet).prefixes(); len(reserved) > 0 {
		free -= reserved.size(subnet) - reserved.countUsed(used)
	}
	return free
}

// FreePrivate returns a free private address in the subnet, or ErrSubnetFull. As on
// AWS the choice is arbitrary: an address that has just become free is rarely
// assigned again while clients still associate it with its last owner. None is from a block that
// the user reserves. A subnet without IPv4 addresses has ErrNoIPv4.
func FreePrivate(r store.Reader, ids *identity.Source, subnet *store.Subnet) (netip.Addr, error) {
	if subnet.IPv6Only() {
		return netip.Addr{}, ErrNoIPv4
	}
	reserved := reservationsOf(r, subnet)
	n := size(subnet.CIDR) - reservedFirst - reservedLast
	if addr, ok := pick(ids, n, func(i int) (netip.Addr, bool) {
		addr := nth(subnet.CIDR, reservedFirst+i)
		_, isReserved := reserved.with(addr)
		return addr, !isReserved && !isUsed(r, subnet, addr)
	}); ok {
		return addr, nil
	}
	return netip.Addr{}, ErrSubnetFull
}

// CheckPrivate returns ErrNoIPv4, ErrOutside, ErrReserved or ErrInUse if the private address cannot be
// assigned in the subnet.
func CheckPrivate(r store.Reader, subnet *store.Subnet, addr netip.Addr) error {
	if subnet.IPv6Only() {
		return ErrNoIPv4
	}
	if !subnet.CIDR.Contains(addr) {
		return ErrOutside
	}
	offset := int(number(addr) - number(subnet.CIDR.Masked().Addr()))
	if offset < reservedFirst || offset >= size(subnet.CIDR)-reservedLast {
		return ErrReserved
	}
	if isUsed(r, subnet, addr) {
		return ErrInUse
	}
	return nil
}

func isUsed(r store.Reader, subnet *store.Subnet, addr netip.Addr) bool {
	_, used := store.NetworkInterfaceWithPrivateIP(r, subnet.ID, addr)
	return used
}

// FreePublic returns a free address in the public range, or ErrPublicRangeFull. The
// edge uses the first and the last 256 addresses.
func FreePublic(r store.Reader, ids *identity.Source, pool netip.Prefix) (netip.Addr, error) {
	const edge = 256
	elastic := map[netip.Addr]bool{}
	for _, address := range store.ElasticIPs.List(r) {
		elastic[address.PublicIP] = true
	}
	if addr, ok := pick(ids, size(pool)-2*edge, func(i int) (netip.Addr, bool) {
		addr := nth(pool, edge+i)
		return addr, !elastic[addr] && !store.NetworkInterfacesByPublicIP.Has(r, addr.String())
	}); ok {
		return addr, nil
	}
	return netip.Addr{}, ErrPublicRangeFull
}

// pick tries each of n candidates once, in order from a random one, and returns the
// first that is free.
func pick(ids *identity.Source, n int, candidate func(i int) (netip.Addr, bool)) (netip.Addr, bool) {
	if n <= 0 {
		return netip.Addr{}, false
	}
	start := ids.Number(n)
	for i := range n {
		if addr, free := candidate((start + i) % n); free {
			return addr, true
		}
	}
	return netip.Addr{}, false
}

func size(p netip.Prefix) int { return 1 << (32 - p.Bits()) }

func number(a netip.Addr) uint32 {
	b := a.As4()
	return binary.BigEndian.Uint32(b[:])
}

// nth returns the address at an offset from the first one of the prefix.
func nth(p netip.Prefix, n int) netip.Addr {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], number(p.Masked().Addr())+uint32(n))
	return netip.AddrFrom4(b)
}
