//go:build linux

package firewall

import "net/netip"

// The addresses of the services in every VPC (Amazon EC2 User Guide, Instance metadata
// service; Amazon VPC User Guide, Amazon DNS server).
var (
	MetadataAddress = netip.AddrFrom4([4]byte{169, 254, 169, 254})
	ResolverAddress = netip.AddrFrom4([4]byte{169, 254, 169, 253})
	// Those of VPCs with IPv6.
	MetadataAddress6 = netip.MustParseAddr("fd00:ec2::254")
	ResolverAddress6 = netip.MustParseAddr("fd00:ec2::253")
)

// APIPort is the port of the local cloud's APIs at MetadataAddress and MetadataAddress6. On AWS, machines
// reach the APIs over the internet.
const APIPort = 4566

// VPCResolverAddress returns the resolver's address in the VPC's own range: its base
// plus two.
func VPCResolverAddress(vpc netip.Prefix) netip.Addr { return vpc.Masked().Addr().Next().Next() }
