package store

import (
	"net/netip"
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
)

// The keys are ids.
var (
	NatGateways         = newTable("nat_gateways", func(r *NatGateway) string { return r.ID }, (*NatGateway).region)
	NatGatewaysBySubnet = NatGateways.indexBy("subnet", func(r *NatGateway) string { return r.SubnetID })
)

// States of a NAT gateway.
const (
	NatPending   = "pending"
	NatAvailable = "available"
	NatDeleting  = "deleting"
	NatDeleted   = "deleted"
	NatFailed    = "failed"
)

// NatGateway lets the machines of other subnets open connections to the outside, with
// its own address as their source.
type NatGateway struct {
	ID, VPCID, SubnetID string
	Region              identity.Region
	Connectivity        string     // "public", "private"
	AllocationID        string     // of the Elastic IP address; empty if Connectivity is private
	RequestedIP         netip.Addr // private address that the user asked for; zero: any
	InterfaceID         string     // empty before the network interface exists
	// AssociationID, PrivateIP and PublicIP are kept after the network interface is gone.
	AssociationID       string
	PrivateIP, PublicIP netip.Addr
	Secondary           []NatAddress
	State               string
	FailureCode         string
	FailureMessage      string
	CreatedAt           time.Time
	SettledAt           time.Time // when the current change of State is done at the earliest
	DeletedAt           time.Time // when it was deleted or failed; zero: it was not
	Tags                Tags
}

// States of a secondary address of a NAT gateway.
const (
	NatAddressAssociating    = "associating" // of a public gateway
	NatAddressAssigning      = "assigning"   // of a private one
	NatAddressSucceeded      = "succeeded"
	NatAddressDisassociating = "disassociating"
	NatAddressUnassigning    = "unassigning"
)

// NatAddress is a secondary address of a NAT gateway. Before the gateway has its network interface,
// PrivateIP is the address that the user asked for; zero: any.
type NatAddress struct {
	AllocationID, AssociationID string // empty if the gateway is private
	PrivateIP, PublicIP         netip.Addr
	State                       string
	SettledAt                   time.Time // when an address that leaves is released
}

// Drains reports whether the address takes no new flows, because it leaves the gateway.
func (a NatAddress) Drains() bool {
	return a.State == NatAddressDisassociating || a.State == NatAddressUnassigning
}

func (r *NatGateway) region() identity.Region { return r.Region }

// Forwards reports whether the gateway forwards packets.
func (r *NatGateway) Forwards() bool {
	return r.InterfaceID != "" && (r.State == NatPending || r.State == NatAvailable)
}
