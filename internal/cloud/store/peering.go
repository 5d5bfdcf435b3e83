package store

import (
	"net/netip"
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
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

// PeeringConnection connects two VPCs of a region, of one account or of two. Its Region is the
// requester's.
type PeeringConnection struct {
	ID                  string
	Region              identity.Region
	Requester, Accepter PeeringSide
	State               string
	Message             string
	Created             time.Time
	EndedAt             time.Time // when it reached a state in which it carries nothing; zero: it has not
	Tags                Tags
}

func (r *PeeringConnection) region() identity.Region { return r.Region }

// PeeringSide is one of the VPCs of a peering connection.
type PeeringSide struct {
	VPCID   string
	Account string         // that owns the VPC; "": the local cloud's own
	CIDRs   []netip.Prefix // when the connection was requested
	// ResolvesNames says that the names of this VPC's machines resolve in the other VPC.
	ResolvesNames bool
}

// RegionOf returns the region in which a side's account sees the connection.
func (r *PeeringConnection) RegionOf(side PeeringSide) identity.Region {
	return identity.RegionOf(side.Account, r.Region.Name())
}

// Other returns the side that is not the VPC's.
func (r *PeeringConnection) Other(vpcID string) PeeringSide {
	if r.Requester.VPCID == vpcID {
		return r.Accepter
	}
	return r.Requester
}
