package stack

import (
	"fmt"
	"net/netip"
)

// KindSubnet is the kind of a subnet.
const KindSubnet Kind = "subnet"

var subnetKind = properties{kind: KindSubnet, mayReferTo: []Kind{KindVPC}}

// Attributes of a subnet.
const (
	AttrZone            AttributeKey = "zone"
	AttrPublicAddresses AttributeKey = "public addresses" // whether instances get public IP addresses
)

// Subnet is a part of a VPC in one zone. Its instances get public IP addresses.
type Subnet struct {
	VPC  Ref
	CIDR netip.Prefix
	Zone string
}

func subnetAddress(n int) string { return fmt.Sprintf("subnet-%d", n) }

// Kind implements Body.
func (Subnet) Kind() Kind { return KindSubnet }

// Title implements Body.
func (s Subnet) Title() string { return "subnet " + s.CIDR.String() + " in " + s.Zone }

// Attributes implements Body.
func (s Subnet) Attributes() []Attribute {
	return []Attribute{
		fixed(ref(AttrVPC, s.VPC)),
		fixed(text(AttrCIDR, s.CIDR)),
		fixed(text(AttrZone, s.Zone)),
		text(AttrPublicAddresses, On),
	}
}

// Needs implements Body.
func (Subnet) Needs() []Ref { return nil }
