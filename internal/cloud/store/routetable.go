package store

import "net/netip"

// The keys are ids.
var (
	RouteTables      = newTable("route_tables", func(r *RouteTable) string { return r.ID }, (*RouteTable).region)
	RouteTablesByVPC = RouteTables.indexBy("vpc", func(r *RouteTable) string { return r.VPCID })
)

// RouteTable directs the traffic that leaves the subnets associated with it.
type RouteTable struct {
	ID, Region, VPCID string
	Routes            []Route // the local route first
	Associations      []RouteTableAssociation
	Tags              Tags
}

func (r *RouteTable) region() string { return r.Region }

// Route is one line of a route table.
type Route struct {
	Destination  netip.Prefix
	GatewayID    string // "local" or an internet gateway's id
	NatGatewayID string // set instead of GatewayID
	Origin       string // "CreateRouteTable", "CreateRoute"
}

// RouteTableAssociation assigns a route table to a subnet. The main route table's
// association has no subnet.
type RouteTableAssociation struct {
	ID, SubnetID string
	Main         bool
}
