package store

import (
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
)

// LoadBalancers has ARNs as keys.
var LoadBalancers = newTable("load_balancers", func(r *LoadBalancer) string { return r.ARN }, (*LoadBalancer).region)

// LoadBalancer is an Application Load Balancer or a Network Load Balancer.
type LoadBalancer struct {
	ARN, Name     string
	Region        identity.Region
	Type          string // "network"; empty: "application"
	DNSName       string
	Scheme        string // "internet-facing", "internal"
	VPCID         string
	GroupIDs      []string // none: a Network Load Balancer that was created without
	Nodes         []Node   // one per zone
	IPAddressType string
	Attributes    map[string]string
	CookieKey     string // secret from which the keys of stickiness cookies are derived
	Created       time.Time
	Tags          Tags
	ActiveAt      time.Time // it is provisioning and carries no traffic before
	NamedAt       time.Time // its DNS name does not exist before
	State         string    // observed: "provisioning", "active", "failed"
	StateReason   string
	// UncheckedPrivateLink says that security groups do not filter what comes from AWS
	// PrivateLink, which the local cloud does not have.
	UncheckedPrivateLink bool
}

// IsNetwork reports whether the row is a Network Load Balancer.
func (r *LoadBalancer) IsNetwork() bool { return r.Type == "network" }

func (r *LoadBalancer) region() identity.Region { return r.Region }

// Node is a load balancer's presence in one zone.
type Node struct {
	Zone, SubnetID, InterfaceID string
	ChosenIP                    bool // a request chose its private address
}
