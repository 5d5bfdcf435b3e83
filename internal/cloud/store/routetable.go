package store

import (
	"cmp"
	"net/netip"

	"aloft.dev/aloft/internal/cloud/identity"
)

// The keys are ids.
var (
	RouteTables      = newTable("route_tables", func(r *RouteTable) string { return r.ID }, (*RouteTable).region)
	RouteTablesByVPC = RouteTables.indexBy("vpc", func(r *RouteTable) string { return r.VPCID })
)

// RouteTable directs the traffic that leaves the subnets associated with it.
type RouteTable struct {
	ID, VPCID    string
	Region       identity.Region
	Routes       []Route // the local route first
	Associations []RouteTableAssociation
	Tags         Tags
}

func (r *RouteTable) region() identity.Region { return r.Region }

// Route is one line of a route table.
type Route struct {
	Destination  netip.Prefix
	PrefixListID string // set instead of Destination
	GatewayID    string // "local", or the id of an internet gateway or a gateway endpoint
	NatGatewayID string // set instead of GatewayID
	PeeringID    string // set instead of GatewayID
	InterfaceID  string // of a network interface; set instead of GatewayID
	EgressOnlyID string // of an egress-only internet gateway; set instead of GatewayID
	Origin       string // "CreateRouteTable", "CreateRoute"
}

// Target returns what a route leads to: an id, or "local".
func (r Route) Target() string {
	return cmp.Or(r.GatewayID, r.NatGatewayID, r.PeeringID, r.InterfaceID, r.EgressOnlyID)
}

// To returns the destination of a route as a text: a block, or the id of a prefix list.
func (r Route) To() string {
	if r.PrefixListID != "" {
		return r.PrefixListID
	}
	return r.Destination.String()
}

// RouteTableAssociation assigns a route table to a subnet or to an internet gateway. The main
// route table's association has neither.
type RouteTableAssociation struct {
	ID, SubnetID string
	GatewayID    string
	Main         bool
}
