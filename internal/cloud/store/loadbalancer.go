package store

import "time"

// LoadBalancers has ARNs as keys.
var LoadBalancers = newTable("load_balancers", func(r *LoadBalancer) string { return r.ARN }, (*LoadBalancer).region)

// LoadBalancer is an Application Load Balancer.
type LoadBalancer struct {
	ARN, Region, Name string
	DNSName           string
	Scheme            string // "internet-facing", "internal"
	VPCID             string
	GroupIDs          []string
	Nodes             []Node // one per zone
	IPAddressType     string
	Attributes        map[string]string
	CookieKey         string // secret from which the keys of stickiness cookies are derived
	Created           time.Time
	Tags              Tags
	ActiveAt          time.Time // it is provisioning and carries no traffic before
	NamedAt           time.Time // its DNS name does not exist before
	State             string    // observed: "provisioning", "active", "failed"
	StateReason       string
}

func (r *LoadBalancer) region() string { return r.Region }

// Node is a load balancer's presence in one zone.
type Node struct{ Zone, SubnetID, InterfaceID string }
