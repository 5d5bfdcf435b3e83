package store

import (
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
)

// The keys are ids.
var (
	VPCEndpoints      = newTable("vpc_endpoints", func(r *VPCEndpoint) string { return r.ID }, (*VPCEndpoint).region)
	VPCEndpointsByVPC = VPCEndpoints.indexBy("vpc", func(r *VPCEndpoint) string { return r.VPCID })
	// VPCEndpointsByInterface finds interface endpoints by the ids of their network interfaces.
	VPCEndpointsByInterface = VPCEndpoints.indexByAll(
		"interface",
		func(r *VPCEndpoint) []string { return r.InterfaceIDs },
	)
)

// The states of interface endpoints. Gateway endpoints are available.
const (
	EndpointPending   = "pending"
	EndpointAvailable = "available"
	EndpointDeleting  = "deleting"
)

// VPCEndpoint is an endpoint of a VPC for a service of AWS. A gateway endpoint consists of routes to
// the service's addresses, an interface endpoint of network interfaces that answer as the service.
type VPCEndpoint struct {
	ID, VPCID string
	Region    identity.Region
	Service   string // "com.amazonaws.us-east-1.s3"
	Policy    string // JSON
	Created   time.Time
	Tags      Tags

	// PrefixListID and RouteTableIDs are those of gateway endpoints.
	PrefixListID  string
	RouteTableIDs []string

	// DNSName is the regional name of an interface endpoint; empty: it is a gateway endpoint. The rest
	// is that of interface endpoints.
	DNSName      string
	InterfaceIDs []string // of network interfaces, at most one for each zone
	GroupIDs     []string
	PrivateDNS   bool // the service's own name leads to the endpoint inside the VPC
	State        string
	SettledAt    time.Time // when it becomes available, or disappears
}

// IsInterface reports whether it is an interface endpoint.
func (r *VPCEndpoint) IsInterface() bool { return r.DNSName != "" }

func (r *VPCEndpoint) region() identity.Region { return r.Region }
