package stack

// KindRouteTable is the kind of a route table.
const KindRouteTable Kind = "route-table"

var routeTableKind = properties{
	kind: KindRouteTable, mayReferTo: []Kind{KindVPC, KindInternetGateway, KindNatGateway, KindSubnet},
}

// AddressRouteTable is the address of the application's route table.
const AddressRouteTable = "route-table"

// AttrDefaultRoute is the gateway of a route table's default route.
const AttrDefaultRoute AttributeKey = "0.0.0.0/0"

// RouteTable routes the traffic of its subnets that leaves the VPC through a
// gateway.
type RouteTable struct {
	VPC     Ref
	Gateway Ref // an internet or NAT gateway; zero: the traffic has no way out
	Subnets []Ref
	Private bool // it is that of a private subnet
}

// Kind implements Body.
func (RouteTable) Kind() Kind { return KindRouteTable }

// Title implements Body.
func (t RouteTable) Title() string {
	switch {
	case t.Private && t.Gateway == Ref{}:
		return "route table: no way out, for " + t.Subnets[0].Address
	case t.Private:
		return "route table: 0.0.0.0/0 through " + t.Gateway.Address + ", for " + t.Subnets[0].Address
	}
	return "route table: 0.0.0.0/0 through the internet gateway, for the subnets"
}

// Attributes implements Body.
func (t RouteTable) Attributes() []Attribute {
	route := Attribute{Key: AttrDefaultRoute}
	if t.Gateway != (Ref{}) {
		route = ref(AttrDefaultRoute, t.Gateway)
	}
	return []Attribute{
		fixed(ref(AttrVPC, t.VPC)),
		route,
		refs(AttrSubnets, t.Subnets),
	}
}

// Needs implements Body.
func (RouteTable) Needs() []Ref { return nil }
