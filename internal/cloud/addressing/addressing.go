// Package addressing gives out the addresses of network interfaces: private
// ones of their subnets and public ones of the local internet's range.
package addressing

import (
	"encoding/binary"
	"errors"
	"net/netip"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
)

// Why an address is not to be had.
var (
	ErrSubnetFull      = errors.New("the subnet has no free address")
	ErrPublicRangeFull = errors.New("the public range has no free address")
	ErrReserved        = errors.New("the address is outside the subnet or reserved in it")
	ErrInUse           = errors.New("the address is in use")
)

// reservedFirst and reservedLast count the addresses at the ends of each
// subnet that no interface gets (Amazon VPC User Guide, Subnet sizing).
const (
	reservedFirst = 4
	reservedLast  = 1
)

// CountFree counts the free private addresses of a subnet.
func CountFree(r store.Reader, subnet *store.Subnet) int {
	return size(subnet.CIDR) - reservedFirst - reservedLast - len(usedPrivate(r, subnet))
}

// FreePrivate returns a free private address of the subnet, or ErrSubnetFull. As
// on AWS the choice is arbitrary, so an address just given back rarely returns
// while others still remember its last holder.
func FreePrivate(r store.Reader, ids *identity.Source, subnet *store.Subnet) (netip.Addr, error) {
	used := usedPrivate(r, subnet)
	n := size(subnet.CIDR) - reservedFirst - reservedLast
	if addr, ok := pick(ids, n, func(i int) (netip.Addr, bool) {
		addr := nth(subnet.CIDR, reservedFirst+i)
		return addr, !used[addr]
	}); ok {
		return addr, nil
	}
	return netip.Addr{}, ErrSubnetFull
}

// CheckPrivate tells whether the private address can be had in the subnet: nil,
// ErrReserved or ErrInUse.
func CheckPrivate(r store.Reader, subnet *store.Subnet, addr netip.Addr) error {
	if !subnet.CIDR.Contains(addr) {
		return ErrReserved
	}
	offset := int(number(addr) - number(subnet.CIDR.Masked().Addr()))
	if offset < reservedFirst || offset >= size(subnet.CIDR)-reservedLast {
		return ErrReserved
	}
	if usedPrivate(r, subnet)[addr] {
		return ErrInUse
	}
	return nil
}

// FreePublic returns a free address of the public range, or ErrPublicSpent. The
// first and the last 256 addresses belong to the edge itself.
func FreePublic(r store.Reader, ids *identity.Source, pool netip.Prefix) (netip.Addr, error) {
	const edge = 256
	used := map[netip.Addr]bool{}
	for _, nic := range store.NetworkInterfaces.List(r) {
		used[nic.PublicIP] = true
	}
	if addr, ok := pick(ids, size(pool)-2*edge, func(i int) (netip.Addr, bool) {
		addr := nth(pool, edge+i)
		return addr, !used[addr]
	}); ok {
		return addr, nil
	}
	return netip.Addr{}, ErrPublicRangeFull
}

// pick tries n candidates from a random one on, around once.
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

func usedPrivate(r store.Reader, subnet *store.Subnet) map[netip.Addr]bool {
	used := map[netip.Addr]bool{}
	for _, nic := range store.NetworkInterfacesBySubnet.List(r, subnet.ID) {
		used[nic.PrivateIP] = true
	}
	return used
}

func size(p netip.Prefix) int { return 1 << (32 - p.Bits()) }

func number(a netip.Addr) uint32 {
	b := a.As4()
	return binary.BigEndian.Uint32(b[:])
}

func nth(p netip.Prefix, n int) netip.Addr {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], number(p.Masked().Addr())+uint32(n))
	return netip.AddrFrom4(b)
}
