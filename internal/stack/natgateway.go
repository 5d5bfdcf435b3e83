package stack

import (
	"fmt"

	"aloft.dev/aloft/internal/price"
)

// KindNatGateway is the kind of a NAT gateway. An Elastic IP address can have one NAT
// gateway at a time.
const KindNatGateway Kind = "nat-gateway"

var natGatewayKind = properties{
	kind: KindNatGateway, mayReferTo: []Kind{KindSubnet, KindInternetGateway, KindElasticIP}, uniqueName: true,
}

// AttrElasticIP is the Elastic IP address of a NAT gateway.
const AttrElasticIP AttributeKey = "Elastic IP address"

// StateAvailable is the AttrState of a NAT gateway that forwards packets.
const StateAvailable = "available"

// NatGateway lets the servers of private subnets open connections to the outside.
type NatGateway struct {
	Subnet    Ref // a public one
	ElasticIP Ref
	Internet  Ref // the internet gateway
	Zone      string
	Region    string // for people
}

func natGatewayAddress(n int) string { return fmt.Sprintf("nat-gateway-%d", n) }

// Kind implements Body.
func (NatGateway) Kind() Kind { return KindNatGateway }

// Title implements Body. It includes the cost if the prices are known.
func (g NatGateway) Title() string {
	title := "NAT gateway in " + g.Zone
	prices := price.Table(g.Region)
	hour, hasHour := prices.Of(price.NatGateway)
	data, hasData := prices.Of(price.NatData)
	if !hasHour || !hasData {
		return title
	}
	return title + fmt.Sprintf(", about $%.0f a month and $%g for each GB", hour*price.HoursPerMonth, data)
}

// Attributes implements Body.
func (g NatGateway) Attributes() []Attribute {
	return []Attribute{
		fixed(ref(AttrSubnet, g.Subnet)),
		fixed(ref(AttrElasticIP, g.ElasticIP)),
		text(AttrState, StateAvailable),
	}
}

// Needs implements Body.
func (g NatGateway) Needs() []Ref { return []Ref{g.Internet} }
