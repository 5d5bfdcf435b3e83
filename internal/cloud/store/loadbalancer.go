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

// WithoutPublicIPv4 is the IP address type of load balancers to which clients on the internet
// connect at IPv6 addresses alone.
const WithoutPublicIPv4 = "dualstack-without-public-ipv4"

// HasIPv6 reports whether the nodes have IPv6 addresses besides IPv4 ones.
func (r *LoadBalancer) HasIPv6() bool {
	return r.IPAddressType == "dualstack" || r.IPAddressType == WithoutPublicIPv4
}

// HasPublicIPv4 reports whether the nodes have public IPv4 addresses.
func (r *LoadBalancer) HasPublicIPv4() bool {
	return r.Scheme == "internet-facing" && r.IPAddressType != WithoutPublicIPv4
}

// DeniesInternetGateway reports whether internet gateways carry nothing between the nodes' IPv6
// addresses and the internet.
func (r *LoadBalancer) DeniesInternetGateway() bool {
	return r.Attributes["ipv6.deny_all_igw_traffic"] == "true"
}

func (r *LoadBalancer) region() identity.Region { return r.Region }

// Node is a load balancer's presence in one zone.
type Node struct {
	Zone, SubnetID, InterfaceID string
	ChosenIP                    bool // a request chose its private address
	ChosenIPv6                  bool // a request chose its IPv6 address
	// FailedOver says that too few targets are healthy for the DNS name to lead to the node, unless it
	// is so with all nodes (observed).
	FailedOver bool
}
