package stack

// KindRouteTable is the kind of a route table.
const KindRouteTable Kind = "route-table"

var routeTableKind = properties{
	kind: KindRouteTable, mayReferTo: []Kind{KindVPC, KindInternetGateway, KindSubnet},
}

// AddressRouteTable is the address of the application's route table.
const AddressRouteTable = "route-table"

// AttrDefaultRoute is the gateway of a route table's default route.
const AttrDefaultRoute AttributeKey = "0.0.0.0/0"

// RouteTable routes the traffic of its subnets that leaves the VPC through a
// gateway.
type RouteTable struct {
	VPC     Ref
	Gateway Ref
	Subnets []Ref
}

// Kind implements Body.
func (RouteTable) Kind() Kind { return KindRouteTable }

// Title implements Body.
func (RouteTable) Title() string {
	return "route table: 0.0.0.0/0 through the internet gateway, for the subnets"
}

// Attributes implements Body.
func (t RouteTable) Attributes() []Attribute {
	return []Attribute{
		fixed(ref(AttrVPC, t.VPC)),
		ref(AttrDefaultRoute, t.Gateway),
		refs(AttrSubnets, t.Subnets),
	}
}

// Needs implements Body.
func (RouteTable) Needs() []Ref { return nil }
