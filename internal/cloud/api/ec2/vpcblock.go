package ec2

import (
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
)

// vpcBlock is a block as a VPC describes it.
type vpcBlock struct {
	store.CIDRAssociation

	state types.VpcCidrBlockStateCode
}

func (b vpcBlock) stateText() string { return string(b.state) }

// blocksOf returns the blocks of a VPC's IPv4 addresses: the primary one first, the former ones last.
func blocksOf(row *store.VPC) []vpcBlock {
	primary := store.CIDRAssociation{ID: row.CIDRAssociationID, CIDR: row.CIDR}
	return described(append([]store.CIDRAssociation{primary}, row.SecondaryBlocks...), row.FormerBlocks, false)
}

// ipv6BlocksOf returns the blocks of a VPC's IPv6 addresses, the former ones last.
func ipv6BlocksOf(row *store.VPC) []vpcBlock { return described(row.IPv6, row.FormerBlocks, true) }

// described returns blocks, and those of a family that are former ones.
func described(associated []store.CIDRAssociation, former []store.FormerBlock, ipv6 bool) (all []vpcBlock) {
	for _, association := range associated {
		all = append(all, vpcBlock{association, types.VpcCidrBlockStateCodeAssociated})
	}
	for _, block := range former {
		if block.CIDR.Addr().Is6() == ipv6 {
			all = append(all, vpcBlock{block.CIDRAssociation, types.VpcCidrBlockStateCodeDisassociated})
		}
	}
	return all
}

// byBlock returns a filter by a property of a VPC's blocks of IPv4 addresses.
func byBlock(text func(vpcBlock) string) func(store.Reader, *store.VPC) []string {
	return func(_ store.Reader, row *store.VPC) []string { return list(blocksOf(row), text) }
}

// byIPv6Block returns a filter by a property of a VPC's blocks of IPv6 addresses.
func byIPv6Block(text func(vpcBlock) string) func(store.Reader, *store.VPC) []string {
	return func(_ store.Reader, row *store.VPC) []string { return list(ipv6BlocksOf(row), text) }
}
