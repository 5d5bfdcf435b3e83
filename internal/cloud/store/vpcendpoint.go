package store

import "time"

// The keys are ids.
var (
	VPCEndpoints      = newTable("vpc_endpoints", func(r *VPCEndpoint) string { return r.ID }, (*VPCEndpoint).region)
	VPCEndpointsByVPC = VPCEndpoints.indexBy("vpc", func(r *VPCEndpoint) string { return r.VPCID })
)

// VPCEndpoint is a gateway endpoint: routes to the addresses of a service of AWS.
type VPCEndpoint struct {
	ID, Region, VPCID string
	Service           string // "com.amazonaws.us-east-1.s3"
	PrefixListID      string
	RouteTableIDs     []string
	Policy            string // JSON
	Created           time.Time
	Tags              Tags
}

func (r *VPCEndpoint) region() string { return r.Region }
