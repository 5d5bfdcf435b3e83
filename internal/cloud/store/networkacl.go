package store

import "net/netip"

// Tables of this file.
var (
	NetworkACLs      = newTable("network_acls", func(r *NetworkACL) string { return r.ID }, (*NetworkACL).region)
	NetworkACLsByVPC = NetworkACLs.indexBy("vpc", func(r *NetworkACL) string { return r.VPCID })
)

// NetworkACL is a stateless filter at the edge of subnets.
type NetworkACL struct {
	ID, Region, VPCID string
	IsDefault         bool
	Entries           []NetworkACLEntry
	Associations      []NetworkACLAssociation
	Tags              Tags
}

func (r *NetworkACL) region() string { return r.Region }

// NetworkACLEntry is one numbered rule of a network ACL; the lowest number
// that matches decides.
type NetworkACLEntry struct {
	Number             int
	Egress, Allow      bool
	Protocol           string // "-1" or an IANA protocol number
	FromPort, ToPort   int
	ICMPType, ICMPCode int
	CIDR               netip.Prefix
}

// NetworkACLAssociation binds a subnet to its network ACL.
type NetworkACLAssociation struct{ ID, SubnetID string }
