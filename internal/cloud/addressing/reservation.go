package addressing

import (
	"net/netip"
	"slices"

	"aloft.dev/aloft/internal/cloud/store"
)

// reservations are the blocks that a subnet reserves. They do not overlap.
type reservations []*store.SubnetReservation

func reservationsOf(r store.Reader, subnet *store.Subnet) reservations {
	return store.SubnetReservationsBySubnet.List(r, subnet.ID)
}

// with returns the block that contains an address, if there is one.
func (all reservations) with(address netip.Addr) (netip.Prefix, bool) {
	i := slices.IndexFunc(all, func(row *store.SubnetReservation) bool { return row.CIDR.Contains(address) })
	if i < 0 {
		return netip.Prefix{}, false
	}
	return all[i].CIDR, true
}

// prefixes returns the blocks of IPv4 addresses that are reserved for prefixes. Their addresses do
// not count as free. Those that are reserved for explicit assignment do.
func (all reservations) prefixes() reservations {
	return slices.DeleteFunc(slices.Clone(all), func(row *store.SubnetReservation) bool {
		return row.Type != "prefix" || !row.CIDR.Addr().Is4()
	})
}

// size returns the number of addresses that network interfaces in the subnet can have.
func (all reservations) size(subnet *store.Subnet) (n int) {
	first := int(number(subnet.CIDR.Masked().Addr()))
	for _, row := range all {
		from := int(number(row.CIDR.Masked().Addr()))
		to := min(from+size(row.CIDR), first+size(subnet.CIDR)-reservedLast)
		n += max(to-max(from, first+reservedFirst), 0)
	}
	return n
}

// countUsed returns how many of the blocks' addresses network interfaces have. used can have an
// interface several times.
func (all reservations) countUsed(used []*store.NetworkInterface) int {
	counted := map[netip.Addr]bool{}
	for _, eni := range used {
		for _, address := range eni.Addresses() {
			if _, ok := all.with(address.Private); ok {
				counted[address.Private] = true
			}
		}
	}
	return len(counted)
}
