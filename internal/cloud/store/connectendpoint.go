package store

import (
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
)

// InstanceConnectEndpoints has ids as keys.
var (
	InstanceConnectEndpoints = newTable(
		"instance_connect_endpoints",
		func(r *InstanceConnectEndpoint) string { return r.ID },
		(*InstanceConnectEndpoint).region,
	)
	InstanceConnectEndpointsByVPC = InstanceConnectEndpoints.indexBy(
		"vpc",
		func(r *InstanceConnectEndpoint) string { return r.VPCID },
	)
)

// InstanceConnectEndpoint is an EC2 Instance Connect Endpoint: a way into a VPC for clients
// outside it.
type InstanceConnectEndpoint struct {
	ID, VPCID, SubnetID, Zone string
	Region                    identity.Region
	InterfaceID               string // from which connections come
	DNSName                   string // where clients open tunnels
	GroupIDs                  []string
	CreatedAt                 time.Time
	ReadyAt                   time.Time // its creation is in progress before
	Deleting                  bool
	GoneAt                    time.Time // if Deleting: when it disappears
	Tags                      Tags
}

func (r *InstanceConnectEndpoint) region() identity.Region { return r.Region }

// Serves reports whether clients can open tunnels through the endpoint at a time.
func (r *InstanceConnectEndpoint) Serves(at time.Time) bool {
	return !r.Deleting && !at.Before(r.ReadyAt)
}
