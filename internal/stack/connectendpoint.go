package stack

import "cmp"

// KindConnectEndpoint is the kind of an EC2 Instance Connect Endpoint.
const KindConnectEndpoint Kind = "connect-endpoint"

// A VPC has one endpoint (Amazon EC2 User Guide, "Quotas for EC2 Instance Connect
// Endpoint"), so a replacement can be created only after the old one was deleted.
var connectEndpointKind = properties{
	kind: KindConnectEndpoint, mayReferTo: []Kind{KindSubnet, KindSecurityGroup}, uniqueName: true,
}

// Addresses of the endpoint and of its security group.
const (
	AddressConnectEndpoint = "connect-endpoint"
	AddressConnectGroup    = "security-group-connect"
)

// StateConnectable is the AttrState of an endpoint through which instances can be reached.
const StateConnectable = "create-complete"

// NoKeyPair is the AttrKeyPair of instances that were launched without a key pair. They are
// reached through the endpoint.
const NoKeyPair = "none"

// ConnectEndpoint is the way to the instances for whoever has the permission: they need no
// port that is open to anybody else, and no key.
type ConnectEndpoint struct {
	Subnet Ref
	Group  Ref
}

// Kind implements Body.
func (ConnectEndpoint) Kind() Kind { return KindConnectEndpoint }

// Title implements Body.
func (ConnectEndpoint) Title() string { return "EC2 Instance Connect Endpoint" }

// Attributes implements Body.
func (e ConnectEndpoint) Attributes() []Attribute {
	return []Attribute{
		fixed(ref(AttrSubnet, e.Subnet)),
		fixed(ref(AttrSecurityGroups, e.Group)),
		text(AttrState, StateConnectable),
	}
}

// Needs implements Body.
func (ConnectEndpoint) Needs() []Ref { return nil }

// Access is how instances are reached: with a key pair, or through an endpoint.
type Access struct {
	KeyPair  Ref    // zero: none
	KeyName  string // "": none
	Endpoint Ref    // zero: none
}

func (a Access) attribute() Attribute { return text(AttrKeyPair, cmp.Or(a.KeyName, NoKeyPair)) }

// launchNeeds returns what an instance needs to be launched.
func (a Access) launchNeeds() []Ref {
	if a.KeyPair.Address == "" {
		return nil
	}
	return []Ref{a.KeyPair}
}
