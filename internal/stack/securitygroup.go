package stack

// KindSecurityGroup is the kind of a security group.
const KindSecurityGroup Kind = "security-group"

var securityGroupKind = properties{kind: KindSecurityGroup, mayReferTo: []Kind{KindVPC, KindSecurityGroup}}

// Addresses of the application's security groups.
const (
	AddressWebGroup = "security-group-web" // of the load balancer
	AddressAppGroup = "security-group-app" // of the servers
	// AddressBuilderGroup is the group of machines on which a release is built or proven.
	// Temporary access over SSH is allowed in it, and so to no other server.
	AddressBuilderGroup = "security-group-builder"
	// AddressMakerGroup takes its place where machines are reached through an endpoint.
	AddressMakerGroup = "security-group-maker"
)

// Attributes of a security group.
const (
	AttrInbound  AttributeKey = "in"
	AttrOutbound AttributeKey = "out"
)

// SecurityGroup is a firewall of instances, of a load balancer or of an endpoint. It allows
// all outbound traffic, unless it has outbound rules.
type SecurityGroup struct {
	VPC         Ref
	GroupName   string
	Description string
	Inbound     []Rule
	Outbound    []Rule // without references to other groups; empty: AllOutbound
}

// OutboundRules returns the group's outbound rules.
func (g SecurityGroup) OutboundRules() []Rule {
	if len(g.Outbound) == 0 {
		return []Rule{AllOutbound}
	}
	return g.Outbound
}

// Kind implements Body.
func (SecurityGroup) Kind() Kind { return KindSecurityGroup }

// Title implements Body.
func (g SecurityGroup) Title() string { return "security group " + g.GroupName }

// Attributes implements Body.
func (g SecurityGroup) Attributes() []Attribute {
	return []Attribute{
		fixed(ref(AttrVPC, g.VPC)),
		fixed(text(AttrName, g.GroupName)),
		{Key: AttrInbound, Terms: ruleTerms(g.Inbound)},
		{Key: AttrOutbound, Terms: ruleTerms(g.OutboundRules())},
	}
}

// Needs implements Body.
func (SecurityGroup) Needs() []Ref { return nil }
