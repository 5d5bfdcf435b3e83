package addressing

import (
	"net/netip"
	"slices"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
)

// vpcBits is the prefix length of a VPC's block of IPv6 addresses (Amazon VPC User Guide, VPC CIDR
// blocks).
const vpcBits = 56

// FreeIPv6Block returns a block of IPv6 addresses for a VPC, or ErrPublicRangeFull. The network
// itself uses the first one of the range.
func FreeIPv6Block(r store.Reader, ids *identity.Source, pool netip.Prefix) (netip.Prefix, error) {
	used := map[netip.Prefix]bool{}
	for _, vpc := range store.VPCs.List(r) {
		for _, block := range vpc.IPv6Blocks() {
			used[block] = true
		}
	}
	count := 1<<(vpcBits-pool.Bits()) - 1
	start := ids.Number(count)
	for i := range count {
		block := block6(pool, uint64((start+i)%count+1))
		if !used[block] {
			return block, nil
		}
	}
	return netip.Prefix{}, ErrPublicRangeFull
}

// block6 returns a VPC's block by its number in the range.
func block6(pool netip.Prefix, number uint64) netip.Prefix {
	b := pool.Masked().Addr().As16()
	for i := vpcBits/8 - 1; number > 0; i-- {
		b[i] |= byte(number)
		number >>= 8
	}
	return netip.PrefixFrom(netip.AddrFrom16(b), vpcBits)
}

// AddIPv6 assigns IPv6 addresses of its subnet to a network interface in addition to those that it
// has: the given ones and as many random ones as count says. It returns the new ones. The error is
// one of this package's.
func AddIPv6(
	tx *store.Tx, ids *identity.Source, eni *store.NetworkInterface, subnet *store.Subnet,
	given []netip.Addr, count int,
) (added []netip.Addr, err error) {
	if len(given)+count > 0 && !subnet.IPv6.CIDR.IsValid() {
		return nil, ErrNoIPv6
	}
	for _, address := range given {
		if err := checkIPv6(tx, subnet, address); err != nil {
			return nil, err
		}
		if slices.Contains(added, address) {
			return nil, ErrInUse
		}
		added = append(added, address)
	}
	for range count {
		address, err := freeIPv6(tx, ids, subnet, added)
		if err != nil {
			return nil, err
		}
		added = append(added, address)
	}
	if len(added) > 0 {
		store.NetworkInterfaces.Edit(tx, eni.ID, func(row *store.NetworkInterface) {
			row.IPv6 = append(slices.Clone(row.IPv6), added...)
		})
	}
	return added, nil
}

// freeIPv6 returns a random IPv6 address of a subnet that is free, not reserved and not one of taken,
// or ErrSubnetFull. It passes reserved blocks, which can be most of the subnet, in one step.
func freeIPv6(r store.Reader, ids *identity.Source, subnet *store.Subnet, taken []netip.Addr) (netip.Addr, error) {
	const steps = 1 << 16 // more than addresses in use that follow each other
	block, reserved := subnet.IPv6.CIDR, reservationsOf(r, subnet)
	address := random6(ids, block)
	for range steps {
		in, isReserved := reserved.with(address)
		switch {
		case isReserved:
			address = last(in).Next()
		case checkIPv6(r, subnet, address) != nil || slices.Contains(taken, address):
			address = address.Next()
		default:
			return address, nil
		}
		if !block.Contains(address) {
			address = block.Masked().Addr()
		}
	}
	return netip.Addr{}, ErrSubnetFull
}

// checkIPv6 returns ErrOutside, ErrReserved or ErrInUse if the address cannot be assigned in the subnet. The
// first four and the last address of each subnet are reserved (Amazon VPC User Guide, Subnet
// sizing for IPv6).
func checkIPv6(r store.Reader, subnet *store.Subnet, address netip.Addr) error {
	block := subnet.IPv6.CIDR
	switch {
	case !block.Contains(address):
		return ErrOutside
	case address == last(block):
		return ErrReserved
	}
	reserved := block.Masked().Addr()
	for range reservedFirst {
		if address == reserved {
			return ErrReserved
		}
		reserved = reserved.Next()
	}
	if store.NetworkInterfacesByIPv6.Has(r, address.String()) {
		return ErrInUse
	}
	return nil
}

// last returns the last address of a block.
func last(block netip.Prefix) netip.Addr {
	return withHost(block, func() byte { return 0xff })
}

// random6 returns a random address of a block.
func random6(ids *identity.Source, block netip.Prefix) netip.Addr {
	return withHost(block, func() byte { return byte(ids.Number(256)) })
}

// withHost returns the address of a block that has the bits of host's bytes after the prefix.
func withHost(block netip.Prefix, host func() byte) netip.Addr {
	b := block.Masked().Addr().As16()
	for i := block.Bits() / 8; i < len(b); i++ {
		mask := byte(0xff)
		if bits := block.Bits() - 8*i; bits > 0 {
			mask >>= bits
		}
		b[i] |= host() & mask
	}
	return netip.AddrFrom16(b)
}
