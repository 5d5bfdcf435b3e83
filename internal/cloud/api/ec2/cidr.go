package ec2

import (
	"net/netip"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// parseCIDR parses an IPv4 CIDR block and clears its host bits, as EC2 does. name is
// the parameter's name in errors.
func parseCIDR(name, value string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(value)
	if err != nil || !p.Addr().Is4() {
		return netip.Prefix{}, invalidValue(name, value, "This is not a valid CIDR block.")
	}
	return p.Masked(), nil
}

// parseIPv6CIDR parses an IPv6 CIDR block and clears its host bits. name is the parameter's name
// in errors.
func parseIPv6CIDR(name, value string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(value)
	if err != nil || !p.Addr().Is6() || p.Addr().Is4In6() {
		return netip.Prefix{}, invalidValue(name, value, "This is not a valid IPv6 CIDR block.")
	}
	return p.Masked(), nil
}

// Prefix lengths of the largest and the smallest CIDR block of a VPC or a subnet
// (Amazon VPC User Guide, VPC CIDR blocks and Subnet sizing).
const (
	largestCIDR  = 16
	smallestCIDR = 28
)

func validCIDRSize(block netip.Prefix) bool {
	return block.Bits() >= largestCIDR && block.Bits() <= smallestCIDR
}

// checkVPCCIDR refuses a block of the wrong size. given is the block as the
// request spells it.
func checkVPCCIDR(block netip.Prefix, given string) error {
	if !validCIDRSize(block) {
		return wire.Errorf("InvalidVpc.Range", "The CIDR '%s' is invalid.", given)
	}
	return nil
}

// checkSubnetCIDR refuses a block of the wrong size, a block outside of the VPC's
// and a block that overlaps another subnet's. given is the block as the request
// spells it.
func checkSubnetCIDR(vpc *store.VPC, siblings []*store.Subnet, block netip.Prefix, given string) error {
	if !validCIDRSize(block) || !isWithin(block, vpc.Blocks()) {
		return wire.Errorf("InvalidSubnet.Range", "The CIDR '%s' is invalid.", given)
	}
	for _, sibling := range siblings {
		if sibling.CIDR.Overlaps(block) {
			return wire.Errorf("InvalidSubnet.Conflict", "The CIDR '%s' conflicts with another subnet", given)
		}
	}
	return nil
}
