package store

import (
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
)

// The keys are ids.
var (
	VPCEndpoints      = newTable("vpc_endpoints", func(r *VPCEndpoint) string { return r.ID }, (*VPCEndpoint).region)
	VPCEndpointsByVPC = VPCEndpoints.indexBy("vpc", func(r *VPCEndpoint) string { return r.VPCID })
)

// VPCEndpoint is a gateway endpoint: routes to the addresses of a service of AWS.
type VPCEndpoint struct {
	ID, VPCID     string
	Region        identity.Region
	Service       string // "com.amazonaws.us-east-1.s3"
	PrefixListID  string
	RouteTableIDs []string
	Policy        string // JSON
	Created       time.Time
	Tags          Tags
}

func (r *VPCEndpoint) region() identity.Region { return r.Region }
