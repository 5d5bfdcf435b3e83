package store

import (
	"net/netip"

	"aloft.dev/aloft/internal/cloud/identity"
)

// The keys are ids.
var (
	NetworkACLs      = newTable("network_acls", func(r *NetworkACL) string { return r.ID }, (*NetworkACL).region)
	NetworkACLsByVPC = NetworkACLs.indexBy("vpc", func(r *NetworkACL) string { return r.VPCID })
)

// NetworkACL is a stateless firewall of subnets.
type NetworkACL struct {
	ID, VPCID    string
	Region       identity.Region
	IsDefault    bool
	Entries      []NetworkACLEntry
	Associations []NetworkACLAssociation
	Tags         Tags
}

func (r *NetworkACL) region() identity.Region { return r.Region }

// NetworkACLEntry is a numbered rule of a network ACL. The matching rule with the
// lowest number decides.
type NetworkACLEntry struct {
	Number             int
	Egress, Allow      bool
	Protocol           string // "-1" or an IANA protocol number
	FromPort, ToPort   int
	ICMPType, ICMPCode int
	CIDR               netip.Prefix // IPv4 or IPv6
}

// NetworkACLAssociation assigns a network ACL to a subnet.
type NetworkACLAssociation struct{ ID, SubnetID string }
