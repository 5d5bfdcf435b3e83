package store

import (
	"net/netip"
	"time"
)

// PeeringConnections has ids as keys. PeeringConnectionsByVPC finds those of either VPC.
var (
	PeeringConnections = newTable(
		"vpc_peering_connections",
		func(r *PeeringConnection) string { return r.ID },
		(*PeeringConnection).region,
	)
	PeeringConnectionsByVPC = PeeringConnections.indexByAll("vpc", func(r *PeeringConnection) []string {
		return []string{r.Requester.VPCID, r.Accepter.VPCID}
	})
)

// States of a VPC peering connection (Amazon VPC Peering Guide, "VPC peering connection
// lifecycle").
const (
	PeeringFailed   = "failed"
	PeeringPending  = "pending-acceptance"
	PeeringExpired  = "expired"
	PeeringRejected = "rejected"
	PeeringActive   = "active"
	PeeringDeleted  = "deleted"
)

// PeeringConnection connects two VPCs of a region.
type PeeringConnection struct {
	ID, Region          string
	Requester, Accepter PeeringSide
	State               string
	Message             string
	Created             time.Time
	EndedAt             time.Time // when it reached a state in which it carries nothing; zero: it has not
	Tags                Tags
}

func (r *PeeringConnection) region() string { return r.Region }

// PeeringSide is one of the VPCs of a peering connection.
type PeeringSide struct {
	VPCID string
	CIDRs []netip.Prefix // when the connection was requested
	// ResolvesNames says that the names of this VPC's machines resolve in the other VPC.
	ResolvesNames bool
}

// Other returns the side that is not the VPC's.
func (r *PeeringConnection) Other(vpcID string) PeeringSide {
	if r.Requester.VPCID == vpcID {
		return r.Accepter
	}
	return r.Requester
}
