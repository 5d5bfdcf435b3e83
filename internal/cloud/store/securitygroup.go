package store

import (
	"net/netip"

	"aloft.dev/aloft/internal/cloud/identity"
)

// The keys are ids.
var (
	SecurityGroups = newTable(
		"security_groups",
		func(r *SecurityGroup) string { return r.ID },
		(*SecurityGroup).region,
	)
	SecurityGroupsByVPC = SecurityGroups.indexBy("vpc", func(r *SecurityGroup) string { return r.VPCID })
)

// SecurityGroup is a stateful firewall of network interfaces.
type SecurityGroup struct {
	ID, VPCID         string
	Region            identity.Region
	Name, Description string
	Rules             []SecurityGroupRule
	Tags              Tags
}

func (r *SecurityGroup) region() identity.Region { return r.Region }

// SecurityGroupRule allows traffic from or to one peer: a CIDR, the members of a
// security group or the CIDRs of a managed prefix list. If the protocol is "-1", the ports are -1.
type SecurityGroupRule struct {
	ID               string
	Egress           bool
	Protocol         string // "-1", "tcp", "udp", "icmp", "icmpv6" or a number
	FromPort, ToPort int
	CIDR             netip.Prefix // IPv4 or IPv6; zero if GroupID or PrefixListID is set
	GroupID          string
	GroupOwner       string // account of the group, if it is in another account
	PeerVPCID        string // of the group, if it is in a peered VPC
	PeeringID        string // of the connection with that VPC when the rule was made
	PrefixListID     string
	Description      string
	Tags             Tags
}
