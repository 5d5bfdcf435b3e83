package stack

import "net/netip"

// KindVPC is the kind of a VPC.
const KindVPC Kind = "vpc"

var vpcKind = properties{kind: KindVPC}

// AddressVPC is the address of the application's VPC.
const AddressVPC = "vpc"

// AttrDNSHostnames is "on" if the VPC's instances get DNS host names.
const AttrDNSHostnames AttributeKey = "dns hostnames"

// VPC is a virtual network. Its instances have DNS host names such as
// ip-10-0-1-… (Amazon VPC User Guide, "DNS attributes for your VPC").
type VPC struct{ CIDR netip.Prefix }

// Kind implements Body.
func (VPC) Kind() Kind { return KindVPC }

// Title implements Body.
func (v VPC) Title() string { return "VPC " + v.CIDR.String() }

// Attributes implements Body.
func (v VPC) Attributes() []Attribute {
	return []Attribute{fixed(text(AttrCIDR, v.CIDR)), text(AttrDNSHostnames, On)}
}

// Needs implements Body.
func (VPC) Needs() []Ref { return nil }
