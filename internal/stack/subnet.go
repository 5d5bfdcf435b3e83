package stack

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// KindSubnet is the kind of a subnet.
const KindSubnet Kind = "subnet"

var subnetKind = properties{kind: KindSubnet, mayReferTo: []Kind{KindVPC}}

// Attributes of a subnet.
const (
	AttrZone            AttributeKey = "zone"
	AttrPublicAddresses AttributeKey = "public addresses" // whether instances get public IP addresses
)

// Subnet is a part of a VPC in one zone. Its instances get public IP addresses, unless it
// is private.
type Subnet struct {
	VPC     Ref
	CIDR    netip.Prefix
	Zone    string
	Private bool
}

func subnetAddress(n int) string { return fmt.Sprintf("subnet-%d", n) }

// SubnetOf returns the address of the subnet that a server is meant for, in a network
// with a number of subnets: "server-4", 3 → "subnet-1". It returns "" for what is no
// server of a fixed number.
func SubnetOf(server string, subnets int) string {
	number, ok := strings.CutPrefix(server, "server-")
	n, err := strconv.Atoi(number)
	if !ok || err != nil || n < 1 || subnets < 1 {
		return ""
	}
	return subnetAddress((n-1)%subnets + 1)
}

// Kind implements Body.
func (Subnet) Kind() Kind { return KindSubnet }

// Title implements Body.
func (s Subnet) Title() string {
	title := "subnet " + s.CIDR.String() + " in " + s.Zone
	if s.Private {
		return "private " + title
	}
	return title
}

// Attributes implements Body.
func (s Subnet) Attributes() []Attribute {
	return []Attribute{
		fixed(ref(AttrVPC, s.VPC)),
		fixed(text(AttrCIDR, s.CIDR)),
		fixed(text(AttrZone, s.Zone)),
		text(AttrPublicAddresses, onUnless(s.Private)),
	}
}

// onUnless returns On, or Off if the condition holds.
func onUnless(condition bool) string {
	if condition {
		return Off
	}
	return On
}

// Needs implements Body.
func (Subnet) Needs() []Ref { return nil }
