package store

import (
	"net/netip"

	"aloft.dev/aloft/internal/cloud/identity"
)

// The keys are allocation ids.
var (
	ElasticIPs            = newTable("elastic_ips", func(r *ElasticIP) string { return r.ID }, (*ElasticIP).region)
	ElasticIPsByInterface = ElasticIPs.indexBy("interface", func(r *ElasticIP) string { return r.InterfaceID })
)

// ElasticIP is a public address that the account keeps until it releases it. While it
// is associated, it is also the public address of an address of its network interface.
type ElasticIP struct {
	ID            string
	Region        identity.Region
	PublicIP      netip.Addr
	AssociationID string // empty: not associated, as InterfaceID is then
	InterfaceID   string
	PrivateIP     netip.Addr // of the interface; zero: its primary one
	ReverseName   string     // with a dot at the end; "": none
	Tags          Tags
}

func (r *ElasticIP) region() identity.Region { return r.Region }
