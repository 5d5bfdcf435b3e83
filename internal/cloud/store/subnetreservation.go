package store

import (
	"net/netip"

	"aloft.dev/aloft/internal/cloud/identity"
)

// The keys are ids.
var (
	SubnetReservations = newTable(
		"subnet_reservations", func(r *SubnetReservation) string { return r.ID }, (*SubnetReservation).region,
	)
	SubnetReservationsBySubnet = SubnetReservations.indexBy(
		"subnet", func(r *SubnetReservation) string { return r.SubnetID },
	)
)

// SubnetReservation is a block of a subnet whose addresses EC2 assigns to no network interface
// unasked.
type SubnetReservation struct {
	ID, SubnetID string
	Region       identity.Region
	CIDR         netip.Prefix // of either family
	Type         string       // "prefix", "explicit"
	Description  string
	Tags         Tags
}

func (r *SubnetReservation) region() identity.Region { return r.Region }
