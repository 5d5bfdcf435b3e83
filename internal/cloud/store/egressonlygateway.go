package store

import "aloft.dev/aloft/internal/cloud/identity"

// The keys are ids.
var (
	EgressOnlyGateways = newTable(
		"egress_only_gateways",
		func(r *EgressOnlyGateway) string { return r.ID },
		(*EgressOnlyGateway).region,
	)
	EgressOnlyGatewaysByVPC = EgressOnlyGateways.indexBy(
		"vpc",
		func(r *EgressOnlyGateway) string { return r.VPCID },
	)
)

// EgressOnlyGateway lets a VPC reach the internet over IPv6, and not the reverse.
type EgressOnlyGateway struct {
	ID, VPCID string
	Region    identity.Region
	Tags      Tags
}

func (r *EgressOnlyGateway) region() identity.Region { return r.Region }
