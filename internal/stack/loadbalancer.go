package stack

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// KindLoadBalancer is the kind of an Application Load Balancer.
const KindLoadBalancer Kind = "load-balancer"

var loadBalancerKind = properties{
	kind:       KindLoadBalancer,
	mayReferTo: []Kind{KindSubnet, KindSecurityGroup, KindRouteTable, KindBucket},
	uniqueName: true,
}

// AddressLoadBalancer is the address of the application's load balancer.
const AddressLoadBalancer = "load-balancer"

// AttrScheme is "internet-facing" or "internal".
const AttrScheme AttributeKey = "scheme"

// AttrProtection is On for a load balancer that AWS refuses to delete.
const AttrProtection AttributeKey = "deletion protection"

// AttrAccessLogs is the bucket of a load balancer's access logs.
const AttrAccessLogs AttributeKey = "access logs"

// StateActive is the AttrState of a load balancer that routes requests.
const StateActive = "active"

// LoadBalancer is an internet-facing Application Load Balancer with a node in
// each of its subnets.
type LoadBalancer struct {
	BalancerName string
	Subnets      []Ref
	Groups       []Ref
	Routes       []Ref // the route tables to the internet
	Protected    bool
	AccessLogs   Ref // the bucket; zero: there are none
}

// balancingName returns the name of a load balancer or target group. Names are
// unique in an account and have at most 32 characters (Elastic Load Balancing API
// Reference).
func balancingName(app, address string) string {
	sum := sha256.Sum256([]byte(app + "/" + address))
	return app + "-" + hex.EncodeToString(sum[:3])
}

// Kind implements Body.
func (LoadBalancer) Kind() Kind { return KindLoadBalancer }

// Title implements Body.
func (b LoadBalancer) Title() string {
	return fmt.Sprintf("load balancer %s in %d subnets", b.BalancerName, len(b.Subnets))
}

// Attributes implements Body.
func (b LoadBalancer) Attributes() []Attribute {
	protection := Attribute{Key: AttrProtection, Optional: true}
	if b.Protected {
		protection = text(AttrProtection, On)
	}
	logs := Attribute{Key: AttrAccessLogs, Optional: true}
	if b.AccessLogs != (Ref{}) {
		logs = ref(AttrAccessLogs, b.AccessLogs)
	}
	return []Attribute{
		fixed(text(AttrScheme, "internet-facing")),
		refs(AttrSubnets, b.Subnets),
		refs(AttrSecurityGroups, b.Groups),
		text(AttrState, StateActive),
		protection,
		logs,
	}
}

// Needs implements Body.
func (b LoadBalancer) Needs() []Ref { return b.Routes }
