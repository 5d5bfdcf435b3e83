package store

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
	ID, Region, VPCID string
	Tags              Tags
}

func (r *EgressOnlyGateway) region() string { return r.Region }
