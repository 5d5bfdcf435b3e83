package stack

import "net/netip"

// VPC is a network of its own. Its DNS hostnames are on, so that machines are
// called ip-10-0-1-… (Amazon VPC User Guide, "DNS attributes for your VPC").
type VPC struct{ CIDR netip.Prefix }

// Kind is vpc.
func (VPC) Kind() Kind { return KindVPC }

// Title describes it.
func (v VPC) Title() string { return "VPC " + v.CIDR.String() }

// Attributes are its range and its DNS hostnames.
func (v VPC) Attributes() []Attribute {
	return []Attribute{fixed(text("cidr", v.CIDR)), text("dns hostnames", "on")}
}

// Needs is nothing.
func (VPC) Needs() []Ref { return nil }

// Subnet is a part of a VPC in one zone, whose machines get public addresses.
type Subnet struct {
	VPC  Ref
	CIDR netip.Prefix
	Zone string
}

// Kind is subnet.
func (Subnet) Kind() Kind { return KindSubnet }

// Title describes it.
func (s Subnet) Title() string { return "subnet " + s.CIDR.String() + " in " + s.Zone }

// Attributes are where it is and that it gives public addresses.
func (s Subnet) Attributes() []Attribute {
	return []Attribute{
		fixed(ref("vpc", s.VPC)),
		fixed(text("cidr", s.CIDR)),
		fixed(text("zone", s.Zone)),
		text("public addresses", "on"),
	}
}

// Needs is nothing more.
func (Subnet) Needs() []Ref { return nil }

// InternetGateway is the way in and out of a VPC.
type InternetGateway struct{ VPC Ref }

// Kind is internet-gateway.
func (InternetGateway) Kind() Kind { return KindInternetGateway }

// Title describes it.
func (InternetGateway) Title() string { return "internet gateway, attached to the VPC" }

// Attributes are the VPC that it is attached to.
func (g InternetGateway) Attributes() []Attribute { return []Attribute{ref("attached to", g.VPC)} }

// Needs is nothing more.
func (InternetGateway) Needs() []Ref { return nil }

// RouteTable sends everything that is not for the VPC through a gateway, for
// its subnets.
type RouteTable struct {
	VPC     Ref
	Gateway Ref
	Subnets []Ref
}

// Kind is route-table.
func (RouteTable) Kind() Kind { return KindRouteTable }

// Title describes it.
func (RouteTable) Title() string {
	return "route table: 0.0.0.0/0 through the internet gateway, for the subnets"
}

// Attributes are its default route and its subnets.
func (t RouteTable) Attributes() []Attribute {
	return []Attribute{fixed(ref("vpc", t.VPC)), ref("0.0.0.0/0", t.Gateway), refs("subnets", t.Subnets)}
}

// Needs is nothing more.
func (RouteTable) Needs() []Ref { return nil }

// SecurityGroup is a firewall of machines or of a load balancer. Everything out
// is allowed.
type SecurityGroup struct {
	VPC         Ref
	GroupName   string
	Description string
	Ingress     []Term // "tcp 22 from 192.0.2.0/24", "tcp 3000 from " + a group
}

// Kind is security-group.
func (SecurityGroup) Kind() Kind { return KindSecurityGroup }

// Title describes it.
func (g SecurityGroup) Title() string { return "security group " + g.GroupName }

// Attributes are its rules.
func (g SecurityGroup) Attributes() []Attribute {
	return []Attribute{
		fixed(ref("vpc", g.VPC)), fixed(text("name", g.GroupName)),
		{Name: "in", Terms: g.Ingress}, text("out", AllOut),
	}
}

// Needs is nothing more.
func (SecurityGroup) Needs() []Ref { return nil }

// AllOut is the rule that lets everything out.
const AllOut = "all to 0.0.0.0/0"
